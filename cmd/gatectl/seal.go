package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/policy"
)

// sealFile checks and signs one file of a kind.
func sealFile(kind string, body []byte, signer string) ([]byte, error) {
	switch kind {
	case "policy":
		if _, err := policy.Parse(body); err != nil {
			return nil, err
		}
		// A signed note takes no tabs; what is signed is the same JSON, indented anew.
		var neat bytes.Buffer
		if err := json.Indent(&neat, body, "", "  "); err != nil {
			return nil, err
		}
		return credential.Seal(kind, bytes.TrimSpace(neat.Bytes()), signer)
	case "trust":
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		var list credential.TrustList
		if err := d.Decode(&list); err != nil {
			return nil, err
		}
		if list.Kind != kind || d.More() {
			return nil, fmt.Errorf("want one object of kind %q, got kind %q", kind, list.Kind)
		}
		return credential.SealTrust(list, signer)
	}
	return nil, daemon.UsageError{Err: fmt.Errorf("%q is neither policy nor trust", kind)}
}
