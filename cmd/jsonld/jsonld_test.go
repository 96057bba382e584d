package jsonld

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

const about = `"@context":["https://www.w3.org/2018/credentials/v1","https://cowin.gov.in/credentials/vaccination/v2"]`

// TestGraphIsTheSameInOtherWords writes one statement in several spellings.
func TestGraphIsTheSameInOtherWords(t *testing.T) {
	want := `<did:x> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://schema.org/Person> .
<did:x> <https://schema.org/date> "1998-01-05" .
<did:x> <https://schema.org/name> "A \"B\"" .
`
	for _, document := range []string{
		`{` + about + `,"type":"Person","id":"did:x","name":"A \"B\"","dob":"1998-01-05"}`,
		`{"dob":"1998-01-05","name":"\u0041 \"B\"","id":"did:x","type":["Person"],` + about + `}`,
		`{` + about + `,"type":"Person","id":"did:x","name":["A \"B\""],"dob":"1998-01-05","nobody":"knows this word"}`,
	} {
		got, err := Graph{}.Canonical([]byte(document))
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s", document, err, got)
		}
	}
}

func TestGraphRefusesWhatItCannotBound(t *testing.T) {
	for name, document := range map[string]string{
		"not JSON":          `{`,
		"two texts":         `{` + about + `} {}`,
		"a bracket behind":  `{` + about + `}]`,
		"a list":            `[]`,
		"no context":        `{"name":"x"}`,
		"context by itself": `{"@context":{"name":"https://schema.org/name"},"name":"x"}`,
		"unknown context":   `{"@context":"https://example.com/v1"}`,
		"many objects":      `{` + about + `,"x":[` + strings.TrimSuffix(strings.Repeat(`{},`, maxNodes), ",") + `]}`,
		"many values":       `{` + about + `,"evidence":[` + strings.TrimSuffix(strings.Repeat(`"did:x",`, maxValues), ",") + `]}`,
		"many words":        `{` + about + manyWords(maxValues) + `}`,
		"many contexts":     `{"@context":[` + strings.TrimSuffix(strings.Repeat(`"https://w3id.org/security/v2",`, maxValues), ",") + `]}`,
		"deep":              `{` + about + `,"x":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}`,
		"keyword":           `{` + about + `,"x":{"@list":["a","b"]}}`,
		"keyword at top":    `{` + about + `,"@reverse":{}}`,
		"numbered node":     `{` + about + `,"id":"_:b0"}`,
		"too long":          `{` + about + `,"x":"` + strings.Repeat("x", maxDocument) + `"}`,
	} {
		if got, err := (Graph{}).Canonical([]byte(document)); err == nil {
			t.Errorf("%s: got %q", name, got)
		} else if strings.Contains(err.Error(), "example.com") {
			t.Errorf("%s: the error repeats what stands there: %v", name, err)
		}
	}
}

func manyWords(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, `,"word %d":1`, i)
	}
	return out.String()
}

// FuzzCanonical wants an answer for all documents, the same each time.
func FuzzCanonical(f *testing.F) {
	f.Add([]byte(`{` + about + `,"type":"Person","id":"did:x","name":"A"}`))
	f.Add([]byte(`{` + about + `,"type":["VerifiableCredential"],"evidence":[{"type":"Vaccination","facility":{},"verifier":{}},{"type":"Vaccination","facility":{},"verifier":{}}]}`))
	f.Add([]byte(`{"@context":"https://w3id.org/security/v2","type":"Ed25519Signature2018","proofPurpose":"assertionMethod"}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		if len(document) > 4<<10 {
			return
		}
		first, err := Graph{}.Canonical(document)
		second, again := Graph{}.Canonical(document)
		if (err == nil) != (again == nil) || !bytes.Equal(first, second) {
			t.Errorf("%q, %v and then %q, %v", first, err, second, again)
		}
	})
}
