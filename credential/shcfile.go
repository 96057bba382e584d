package credential

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

const (
	maxCardFile   = 256 << 10 // bytes
	maxCards      = 16        // in one file
	maxDirectory  = 4 << 20   // bytes; that of VCI has 136 KB
	maxDirIssuers = maxTrustKeys
	maxWebsite    = 1024 // bytes
)

// ReadHealthCards reads a file of SMART Health Cards as people get it by mail: a
// .smart-health-card file (JSON with a list "verifiableCredential"), or one JWS. It gives the
// text that a QR code of each card would have, for Parse. A file may end in a newline, and
// nothing else may stand around what it holds.
func ReadHealthCards(file []byte) ([]string, error) {
	if len(file) > maxCardFile {
		return nil, fmt.Errorf("health cards: %d bytes, at most %d", len(file), maxCardFile)
	}
	file = bytes.TrimSuffix(bytes.TrimSuffix(file, []byte("\n")), []byte("\r"))
	if !bytes.HasPrefix(file, []byte("{")) {
		text, err := encodeDigits(string(file))
		if err != nil {
			return nil, fmt.Errorf("health cards: %w", err)
		}
		return []string{text}, nil
	}
	var cards struct {
		Credentials []string `json:"verifiableCredential"`
	}
	if err := json.Unmarshal(file, &cards); err != nil {
		return nil, errors.New("health cards: neither a JWS nor a JSON file of some")
	}
	if n := len(cards.Credentials); n == 0 || n > maxCards {
		return nil, fmt.Errorf("health cards: %d in the file, want 1 to %d", n, maxCards)
	}
	var texts []string
	for i, compact := range cards.Credentials {
		text, err := encodeDigits(compact)
		if err != nil {
			return nil, fmt.Errorf("health cards: card %d: %w", i+1, err)
		}
		texts = append(texts, text)
	}
	return texts, nil
}

// encodeDigits is the other way of decodeDigits.
func encodeDigits(compact string) (string, error) {
	if !strings.HasPrefix(compact, "eyJ") { // {" in base64url, as each header begins
		return "", errors.New("not a JWS")
	}
	var out strings.Builder
	out.WriteString(shcPrefix)
	for i := range len(compact) {
		c := compact[i]
		if c < '-' || c > 'z' {
			return "", errors.New("a character that no JWS has")
		}
		out.WriteByte('0' + (c-45)/10)
		out.WriteByte('0' + (c-45)%10)
	}
	return out.String(), nil
}

// A DirectoryIssuer is one line of a directory of SMART Health Card issuers. Being listed is
// no trust: it is who is meant by a URL.
type DirectoryIssuer struct {
	Name    string `json:"name"`
	Website string `json:"website"`

	// Canonical is the URL of the same issuer that took this one's place; empty: none did.
	Canonical string `json:"canonical_iss"`
}

// ReadIssuerDirectory reads a directory of issuers in the form of the Vaccination Credential
// Initiative's (vci-issuers.json), by the URL that cards name their issuer with. A directory
// with a slip in it is refused whole.
func ReadIssuerDirectory(data []byte) (map[string]DirectoryIssuer, error) {
	if len(data) > maxDirectory {
		return nil, fmt.Errorf("issuer directory: %d bytes, at most %d", len(data), maxDirectory)
	}
	var listed struct {
		Issuers []struct {
			Issuer string `json:"iss"`
			DirectoryIssuer
		} `json:"participating_issuers"`
	}
	if err := json.Unmarshal(data, &listed); err != nil {
		return nil, errors.New("issuer directory: not JSON in the form of a directory")
	}
	if n := len(listed.Issuers); n == 0 || n > maxDirIssuers {
		return nil, fmt.Errorf("issuer directory: %d issuers, want 1 to %d", n, maxDirIssuers)
	}
	issuers := make(map[string]DirectoryIssuer, len(listed.Issuers))
	for i, issuer := range listed.Issuers {
		if _, twice := issuers[issuer.Issuer]; twice {
			return nil, fmt.Errorf("issuer directory: issuer %d: stands there twice", i+1)
		}
		if !strings.HasPrefix(issuer.Issuer, "https://") || strings.HasSuffix(issuer.Issuer, "/") {
			return nil, fmt.Errorf("issuer directory: issuer %d: want an https URL that ends in no slash", i+1)
		}
		if !presentable(issuer.Issuer, maxIssuerName) || !presentable(issuer.Canonical, maxIssuerName) || !presentable(issuer.Website, maxWebsite) {
			return nil, fmt.Errorf("issuer directory: issuer %d: a URL is too long or has hidden characters", i+1)
		}
		issuer.Name = present(issuer.Name, maxIssuerName)
		issuers[issuer.Issuer] = issuer.DirectoryIssuer
	}
	return issuers, nil
}
