package revocation

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"gatehouse"
	"gatehouse/credential"
)

// TestFormStaysAsItIs reads files that were written once, with what another reader of the
// form has to find in them. Bytes are in lower-case hex.
func TestFormStaysAsItIs(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("testdata", "revocations-1.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		About   string              `json:"about"`
		File    string              `json:"file"`
		Region  gatehouse.Issuer    `json:"region"`
		Version uint64              `json:"version"`
		Entries int                 `json:"entries"`
		IDs     map[string][]string `json:"ids"`
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	words := map[string]credential.Standing{"in force": credential.InForce, "maybe": credential.MaybeRevoked, "revoked": credential.Revoked}
	asked := 0
	for _, v := range vectors {
		file, err := hex.DecodeString(v.File)
		if err != nil {
			t.Fatal(err)
		}
		l, err := Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Errorf("%s: %v", v.About, err)
			continue
		}
		if l.Issuer() != v.Region || l.Version() != v.Version || l.Entries() != v.Entries {
			t.Errorf("%s: %s, version %d, %d entries, want %s, %d, %d", v.About, l.Issuer(), l.Version(), l.Entries(), v.Region, v.Version, v.Entries)
		}
		for word, ids := range v.IDs {
			for _, id := range ids {
				b, err := hex.DecodeString(id)
				if err != nil {
					t.Fatal(err)
				}
				want, known := words[word]
				if got := l.Standing(credential.Revocable{ID: b}); got != want || !known {
					t.Errorf("%s: %s is %d, want %s", v.About, id, got, word)
				}
				asked++
			}
		}
	}
	if asked == 0 {
		t.Error("the vectors ask for nothing")
	}
}
