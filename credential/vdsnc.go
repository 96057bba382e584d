package credential

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"gatehouse"
)

// vdsnc is ICAO's Visible Digital Seal for Non-Constrained environments (Technical Report
// VDS-NC, version 1.4): JSON, signed over its canonical form, with the certificate of its signer.
var vdsnc = format{
	name:   "VDS-NC",
	begins: beginsVDSNC,
	parse:  parseVDSNC,
	algs:   []int64{algES256},
}

const (
	sealVaccination = "icao.vacc"
	sealTest        = "icao.test"
)

// beginsVDSNC looks for an object whose first member is one of a seal's two, and is an object.
func beginsVDSNC(text string) bool {
	for _, first := range []string{`"data"`, `"sig"`} {
		rest, found := strings.TrimLeft(text, jsonSpace), true
		for _, token := range []string{"{", first, ":", "{"} {
			if found {
				rest, found = strings.CutPrefix(rest, token)
				rest = strings.TrimLeft(rest, jsonSpace)
			}
		}
		if found {
			return true
		}
	}
	return false
}

func parseVDSNC(u *Unverified, text string) error {
	seal, err := parseJSON([]byte(text))
	if err != nil {
		return u.malformed("json", err)
	}
	data, sig := seal.get("data"), seal.get("sig")
	u.size = len(data.raw())
	header := data.get("hdr")
	kind := header.get("t").str()
	u.name = header.get("is").str()
	switch {
	case data.kind() != '{' || sig.kind() != '{':
		return u.malformed("json", errors.New("not data and sig"))
	case kind != sealVaccination && kind != sealTest:
		return u.malformed("json", errors.New("a seal of a kind that is not known here"))
	case header.get("v").count() != 1:
		return u.malformed("json", errors.New("version is not 1"))
	case countryOf(u.name) == "":
		return u.malformed("json", errors.New("the issuer is no country of three letters"))
	}
	u.issuer = countryOf(u.name)
	alg, known := jwsAlgorithms[sig.get("alg").str()]
	if !known {
		return u.malformed("json", errors.New("no algorithm that is known here"))
	}
	u.alg = alg
	if u.signature, err = decodePadded(sig.get("sigvl").str()); err != nil {
		return u.malformed("json", fmt.Errorf("signature: %w", err))
	}
	der, err := decodePadded(sig.get("cer").str())
	if err != nil {
		return u.malformed("certificate", err)
	}
	certificate, err := parseCarried(der)
	if err != nil {
		return u.malformed("certificate", err)
	}
	sum := sha256.Sum256(der)
	u.kid = sum[:keyIDSize]
	u.signed = func(Verifier) ([]byte, error) { return data.appendCanonical(nil) }
	named := *u
	u.endorsed = func(v Verifier, _ time.Time) ([]Key, error) { return named.endorsements(v, certificate) }
	u.open = func() (contents, error) { return sealed{kind: kind, message: data.get("msg")}, nil }
	return nil
}

// decodePadded takes base64url with its padding or without: the report has it with, and says
// nothing of it.
func decodePadded(s string) ([]byte, error) {
	if strings.Contains(s, "=") {
		if strings.ContainsAny(s, "\r\n") {
			return nil, errors.New("not base64url")
		}
		b, err := base64.URLEncoding.Strict().DecodeString(s)
		if err != nil {
			return nil, errors.New("not base64url")
		}
		return b, nil
	}
	return decodeBase64URL(s)
}

// endorsements are the seal's own key, once for each authority of its state that certifies it.
func (u Unverified) endorsements(v Verifier, certificate *x509.Certificate) ([]Key, error) {
	if c := certificate.Subject.Country; len(c) != 1 || gatehouse.Issuer(strings.ToUpper(c[0])) != u.issuer {
		return nil, u.refuse(gatehouse.ReasonUnknownKey, "the certificate is of another country than the seal")
	}
	authorities := certifiedBy(v, certificate, u.issuer)
	if len(authorities) == 0 {
		if vouched := vouchedSigner(v, certificate, u.issuer); len(vouched) > 0 {
			return vouched, nil
		}
		return nil, u.refuse(gatehouse.ReasonUnknownKey, "no key of the trust list certifies the seal's certificate")
	}
	withdrawn := withdrawnSigner(v, certificate, authorities, u.issuer)
	var keys []Key
	for _, authority := range authorities {
		key := certifiedKey(u.kid, certificate, authority)
		key.Withdrawn = key.Withdrawn || withdrawn
		keys = append(keys, key)
	}
	return keys, nil
}

// sealed is the message of a seal.
type sealed struct {
	kind    string
	message jsonValue
}

func (s sealed) uses() Usage {
	if s.kind == sealTest {
		return UseTest
	}
	return UseVaccination
}

func (s sealed) id() string {
	if s.kind == sealTest {
		return s.message.get("utci").str()
	}
	return s.message.get("uvci").str()
}

func (s sealed) ids() [][]byte {
	if id := s.id(); id != "" {
		return [][]byte{[]byte(id)}
	}
	return nil
}

func (s sealed) tell(pass *gatehouse.Pass) error {
	t := teller{pass: pass}
	if id := s.id(); id != "" {
		pass.Code = tagOf([]byte(id))
	}
	person := s.message.get("pid")
	// Two spaces part the family name from the others, as in a passport (Doc 9303, part 3).
	family, _, _ := strings.Cut(person.get("n").str(), "  ")
	pass.Holder.Name = mask(family)
	var ok bool
	if pass.Holder.Birth, ok = birth(person.get("dob").str()); !ok {
		t.warn("birth date cannot be read")
	}
	if s.kind == sealTest {
		return s.tellTest(t)
	}
	return s.tellVaccinations(t)
}

// tellVaccinations reads the doses under each vaccine. ICD-11 names COVID-19 RA01; a vaccine
// against another disease is no fact for a gate.
func (s sealed) tellVaccinations(t teller) error {
	others := false
	for event := range s.message.get("ve").elements() {
		if disease := event.get("dis").str(); disease != "" && !strings.HasPrefix(disease, "RA01") {
			others = true
			continue
		}
		product := event.get("nam").str()
		if product == "" {
			product = event.get("des").str()
		}
		for dose := range event.get("vd").elements() {
			if len(t.pass.Facts) == maxFacts {
				return fmt.Errorf("more than %d doses", maxFacts)
			}
			t.pass.Facts = append(t.pass.Facts, gatehouse.Fact{
				Kind:    gatehouse.Vaccination,
				At:      t.day("vaccination", dose.get("dvc").str()),
				Product: present(product, maxWord),
				Dose:    dose.get("seq").count(),
			})
		}
	}
	if others {
		t.warn("vaccinations against other diseases")
	} else if len(t.pass.Facts) == 0 {
		return errors.New("no dose in it")
	}
	return nil
}

func (s sealed) tellTest(t teller) error {
	result := s.message.get("tr")
	if result.kind() != '{' {
		return errors.New("no test in it")
	}
	fact := gatehouse.Fact{
		Kind:   gatehouse.Test,
		At:     t.when("sample", s.message.get("dat").get("sc").str()),
		Method: present(result.get("tc").str(), maxWord),
	}
	switch strings.ToLower(result.get("r").str()) {
	case "negative", "normal", "not detected":
		fact.Result = gatehouse.Negative
	case "positive", "abnormal", "detected":
		fact.Result = gatehouse.Positive
	default:
		t.warn("test result cannot be read")
	}
	t.pass.Facts = append(t.pass.Facts, fact)
	return nil
}
