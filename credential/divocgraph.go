package credential

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
)

// The words of a certificate's graph that a gate reads.
const (
	rdfType        = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
	credentialType = "<https://www.w3.org/2018/credentials#VerifiableCredential>"
	credentialNS   = "https://www.w3.org/2018/credentials#"
	schemaNS       = "https://schema.org/"
	vaccination    = "Vaccination>" // the end of the type, whatever its vocabulary is called
)

// quads is a graph: node, word, what is said. What a certificate says is read from here and not
// from its JSON: a word that no context defines, a node without an address or a type spelled
// differently drop out of the graph without a trace, and with them the signature's hold on what
// stands in the JSON.
type quads [][3]string

// parseQuads reads canonical N-Quads of the default graph (RDF 1.1 N-Quads): terms as they are
// written.
func parseQuads(canonical []byte) (quads, error) {
	var out quads
	for line := range strings.Lines(string(canonical)) {
		subject, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		word, rest, _ := strings.Cut(rest, " ")
		object, found := strings.CutSuffix(rest, " .")
		if !found || subject == "" || word == "" || object == "" {
			return nil, errors.New("a graph that cannot be read")
		}
		out = append(out, [3]string{subject, word, object})
	}
	return out, nil
}

// all are what a node says by a word.
func (q quads) all(node, word string) (objects []string) {
	for _, quad := range q {
		if quad[0] == node && quad[1] == "<"+word+">" {
			objects = append(objects, quad[2])
		}
	}
	return objects
}

// literals are the texts among them.
func (q quads) literals(node, word string) (texts []string) {
	for _, object := range q.all(node, word) {
		if text, ok := literal(object); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// one is the only text that a node says by a word; "" for none or several.
func (q quads) one(node, word string) string {
	if texts := q.literals(node, word); len(texts) == 1 {
		return texts[0]
	}
	return ""
}

// literal undoes the quotes and escapes of a literal, whatever its type.
func literal(term string) (string, bool) {
	end := strings.LastIndexByte(term, '"')
	if end < 1 || term[0] != '"' {
		return "", false
	}
	text, err := strconv.Unquote(`"` + term[1:end] + `"`)
	return text, err == nil
}

// divocBody is what a certificate's graph says.
type divocBody struct {
	graph      quads
	credential string // nodes
	holder     string
	shots      []string
}

// openDIVOC finds the credential in the graph and holds what was read before against it: who
// issued it and when it counts must be signed, and nothing else be signed of it.
func openDIVOC(u Unverified, document jsonValue, graph quads) (contents, error) {
	b := &divocBody{graph: graph}
	for _, quad := range graph {
		if quad[1] != rdfType || quad[2] != credentialType {
			continue
		}
		if b.credential != "" {
			return nil, errors.New("more than one credential in it")
		}
		b.credential = quad[0]
	}
	if b.credential == "" {
		return nil, errors.New("no credential in what was signed")
	}
	issuer := graph.all(b.credential, credentialNS+"issuer")
	if len(issuer) != 1 || issuer[0] != "<"+u.name+">" {
		return nil, errors.New("the issuer was not signed")
	}
	for _, name := range []string{"issuanceDate", "expirationDate"} {
		said := graph.literals(b.credential, credentialNS+name)
		if claimed := document.get(name).str(); claimed == "" && len(said) > 0 || claimed != "" && !slices.Equal(said, []string{claimed}) {
			return nil, errors.New("the times were not signed")
		}
	}
	if len(graph.all(b.credential, credentialNS+"validFrom"))+len(graph.all(b.credential, credentialNS+"validUntil")) > 0 {
		return nil, errors.New("times of another standard in it")
	}
	if holders := graph.all(b.credential, credentialNS+"credentialSubject"); len(holders) == 1 {
		b.holder = holders[0]
	}
	for _, node := range graph.all(b.credential, credentialNS+"evidence") {
		if slices.ContainsFunc(graph.all(node, strings.Trim(rdfType, "<>")), func(kind string) bool { return strings.HasSuffix(kind, vaccination) }) {
			b.shots = append(b.shots, node)
		}
	}
	return b, nil
}

func (b *divocBody) uses() Usage { return UseVaccination }

// ids are those of the doses: the address of its node and the last part of it, which its issuer
// numbers certificates with.
func (b *divocBody) ids() (ids [][]byte) {
	for _, node := range b.shots {
		if address := strings.Trim(node, "<>"); !strings.HasPrefix(node, "_:") {
			ids = append(ids, []byte(address), []byte(address[strings.LastIndexByte(address, '/')+1:]))
		}
	}
	return ids
}

func (b *divocBody) tell(pass *gatehouse.Pass) error {
	t := teller{pass: pass}
	if len(b.shots) == 0 {
		return errors.New("no vaccination in what was signed")
	}
	if len(b.shots) > maxEntries {
		return errors.New("more vaccinations than one person gets")
	}
	if ids := b.ids(); len(ids) > 0 {
		pass.Code = tagOf(ids[0])
	}
	// The name stands there as the person says it, the family's at the end or not at all.
	pass.Holder.Name = mask(b.graph.one(b.holder, schemaNS+"name"))
	var ok bool
	if pass.Holder.Birth, ok = birth(b.graph.one(b.holder, schemaNS+"date")); !ok {
		t.warn("birth date cannot be read")
	}
	if pass.Holder.Name == "" {
		t.warn("the signature covers no name")
	}
	for _, node := range b.shots {
		pass.Facts = append(pass.Facts, b.shot(t, node))
	}
	return nil
}

// shot reads one dose. The vocabulary has one word for each kind of thing: day, beginning and
// end are all dates, dose and number of doses are all values, and the signature does not say
// which is which. So the earliest date counts as the day, the smaller number as the dose, and no
// product is told: it could be the batch's name.
func (b *divocBody) shot(t teller, node string) gatehouse.Fact {
	fact := gatehouse.Fact{Kind: gatehouse.Vaccination}
	days := b.graph.literals(node, schemaNS+"date") // in order, as the canonical form is
	days = days[:min(len(days), maxEntries)]
	var read []time.Time
	for _, day := range days {
		read = append(read, t.day("vaccination", day))
	}
	if len(read) > 0 {
		fact.At = slices.MinFunc(read, time.Time.Compare)
	}
	var counts []int
	for _, text := range b.graph.literals(node, schemaNS+"doseValue") {
		if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= 20 {
			counts = append(counts, n)
		}
	}
	if len(counts) > 0 {
		fact.Dose, fact.Doses = slices.Min(counts), slices.MaxFunc(counts, cmp.Compare[int])
	} else {
		t.warn("doses cannot be read")
	}
	return fact
}
