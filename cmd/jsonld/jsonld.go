// Package jsonld writes JSON-LD documents as the canonical graph that a signature is over, from
// contexts that it carries.
//
// It stands here and not under credential, which declares what it asks for (its Graph), because
// the library that does the work brings an HTTP client along. Nothing in here calls it.
package jsonld

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/piprate/json-gold/ld"
)

// The contexts are transcriptions of the terms that health certificates use. contexts/README
// names their sources and licences.
//
//go:embed contexts/*.json
var contexts embed.FS

const (
	maxDocument = 64 << 10 // bytes

	// maxNodes bounds the objects of a document. Nodes without a name are told apart by trying
	// orders when they look alike, which takes time without bound (RDF Dataset
	// Canonicalization, section 7.1); a certificate with two doses has 11 objects.
	maxNodes = 12
	maxDepth = 16

	// maxValues bounds all that stands in a document, contexts and objects included. What is
	// said of one node is compared with all that was said before, which takes seconds for some
	// thousand words; a certificate with two doses has 60.
	maxValues = 256
)

// Graph writes documents as N-Quads in canonical form. The zero value is ready and may be used
// by several at once.
type Graph struct{}

// Canonical gives the document's dataset by URDNA2015. A context that is not carried here is an
// error, as are keywords inside of the document and nodes that a document names by "_:"; terms
// that no context defines are left out, as the signers' libraries do. Errors hold nothing of
// what stands in the document.
func (Graph) Canonical(document []byte) ([]byte, error) {
	if len(document) > maxDocument {
		return nil, fmt.Errorf("canonical graph: %d bytes, at most %d", len(document), maxDocument)
	}
	var root any
	d := json.NewDecoder(bytes.NewReader(document))
	if err := d.Decode(&root); err != nil {
		return nil, errors.New("canonical graph: not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("canonical graph: something follows the document")
	}
	object, ok := root.(map[string]any)
	if !ok {
		return nil, errors.New("canonical graph: not an object")
	}
	if err := onlyNames(object["@context"]); err != nil {
		return nil, fmt.Errorf("canonical graph: %w", err)
	}
	if err := new(bounds).plain(object, 0); err != nil {
		return nil, fmt.Errorf("canonical graph: %w", err)
	}
	options := ld.NewJsonLdOptions("")
	options.ProcessingMode = ld.JsonLd_1_1
	options.Algorithm = ld.AlgorithmURDNA2015
	options.Format = "application/n-quads"
	options.DocumentLoader = shelf{}
	quads, err := ld.NewJsonLdProcessor().Normalize(object, options)
	if err != nil {
		return nil, errors.New("canonical graph: the document does not follow its contexts")
	}
	text, ok := quads.(string)
	if !ok {
		return nil, errors.New("canonical graph: no text came out")
	}
	return []byte(text), nil
}

// onlyNames wants a context that is named, not one that a document brings along: that could
// give any word any meaning.
func onlyNames(context any) error {
	list, ok := context.([]any)
	if !ok {
		list = []any{context}
	}
	for _, name := range list {
		url, ok := name.(string)
		if !ok {
			return errors.New("a context that is not named by its URL")
		}
		if _, carried := files[url]; !carried {
			return errors.New("a context that is not known here")
		}
	}
	return nil
}

// bounds counts what stands in a document.
type bounds struct{ nodes, values int }

// plain refuses what a certificate has no use for and a hostile document has.
func (b *bounds) plain(value any, depth int) error {
	if depth > maxDepth {
		return errors.New("nested too deep")
	}
	if b.values++; b.values > maxValues {
		return fmt.Errorf("more than %d values", maxValues)
	}
	switch v := value.(type) {
	case string:
		if strings.HasPrefix(v, "_:") {
			return errors.New("a node that the document numbers itself")
		}
	case []any:
		for _, element := range v {
			if err := b.plain(element, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		if b.nodes++; b.nodes > maxNodes {
			return fmt.Errorf("more than %d objects", maxNodes)
		}
		for name, member := range v {
			if strings.HasPrefix(name, "@") && (depth > 0 || name != "@context") {
				return errors.New("a keyword where a word should be")
			}
			if err := b.plain(member, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// files are the contexts by the URLs that documents name them with. Deployments of DIVOC
// outside of India name the second one by addresses of their own.
var files = map[string]string{
	"https://www.w3.org/2018/credentials/v1":                   "credentials-v1.json",
	"https://w3id.org/security/v2":                             "security-v2.json",
	"https://cowin.gov.in/credentials/vaccination/v1":          "vaccination-v1.json",
	"https://cowin.gov.in/credentials/vaccination/v2":          "vaccination-v2.json",
	"https://divoc.prod/vaccine/credentials/vaccination/v1":    "vaccination-v2.json",
	"https://divoc.lgcc.gov.lk/credentials/vaccination/v1":     "vaccination-v2.json",
	"https://www.pedulilindungi.id/credentials/vaccination/v2": "vaccination-v2.json",
}

// A shelf loads contexts from what is carried, and nothing else from anywhere.
type shelf struct{}

func (shelf) LoadDocument(url string) (*ld.RemoteDocument, error) {
	file, ok := files[url]
	if !ok {
		return nil, ld.NewJsonLdError(ld.LoadingDocumentFailed, "not carried here")
	}
	raw, err := contexts.ReadFile("contexts/" + file)
	if err != nil {
		return nil, ld.NewJsonLdError(ld.LoadingDocumentFailed, err)
	}
	var document any
	if err := json.Unmarshal(raw, &document); err != nil {
		return nil, ld.NewJsonLdError(ld.LoadingDocumentFailed, err)
	}
	return &ld.RemoteDocument{DocumentURL: url, Document: document}, nil
}
