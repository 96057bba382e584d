package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
)

func keysCommand() *cobra.Command {
	var algorithm, issuer string
	var usage []string
	var years int
	c := &cobra.Command{
		Use:   "keys NAME",
		Short: "Make an issuer's key: NAME.key to sign codes with, NAME.pub to hand out",
		Long: `keys makes NAME.key, which only its owner can read and which belongs to who issues codes, and
NAME.pub. It prints the key as a region's keys.json lists it: add it there, count the list's
version up, and publish it with 'gatectl trust publish'. Neither file is written over.`,
		Example: "  gatectl keys --type sm2 --issuer CN-330100 hangzhou-2\n  gatectl keys --usage travel-code operator",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			uses, err := usageOf(usage)
			if err != nil {
				return daemon.UsageError{Err: err}
			}
			if !isRegion(issuer) || years < 1 || years > 50 {
				return daemon.UsageError{Err: fmt.Errorf("--issuer %q and --years %d: want a region such as CN-330100, and 1 to 50 years", issuer, years)}
			}
			key, err := newCodeKey(algorithm)
			if err != nil {
				return err
			}
			now := time.Now()
			line, err := (&issuerKey{private: key, issuer: gatehouse.Issuer(issuer), usage: uses}).listed(now, now.AddDate(years, 0, 0))
			if err != nil {
				return err
			}
			text, err := publicKey(key)
			if err != nil {
				return err
			}
			if err := writeKey(args[0]+".key", key); err != nil {
				return err
			}
			if err := writeNew(args[0]+".pub", text); err != nil {
				return err
			}
			e := json.NewEncoder(c.OutOrStdout())
			e.SetEscapeHTML(false)
			return e.Encode(line)
		},
	}
	c.Flags().StringVar(&algorithm, "type", "es256", "es256, eddsa or sm2")
	c.Flags().StringVar(&issuer, "issuer", "CN-330100", "the region in whose name it signs")
	c.Flags().StringSliceVar(&usage, "usage", []string{"health-code"}, "what it signs: health-code, travel-code")
	c.Flags().IntVar(&years, "years", 2, "how long it counts")
	return c
}

// usageOf reads what a key of our own formats may sign.
func usageOf(words []string) (all credential.Usage, err error) {
	for _, word := range words {
		switch word {
		case credential.UseHealthCode.String():
			all |= credential.UseHealthCode
		case credential.UseTravelCode.String():
			all |= credential.UseTravelCode
		default:
			return 0, fmt.Errorf("--usage %q: want health-code or travel-code", word)
		}
	}
	if all == 0 {
		return 0, fmt.Errorf("--usage is empty: want health-code or travel-code")
	}
	return all, nil
}

// An issuerKey signs codes in the name of a region.
type issuerKey struct {
	name    string // of its file
	private crypto.Signer
	issuer  gatehouse.Issuer
	usage   credential.Usage
	id      []byte // as codes name it; nil: as our own formats do

	withdrawn bool // nothing that it signed counts any more
}

// listed is the key as its region's trust list has it.
func (k *issuerKey) listed(from, to time.Time) (credential.TrustKey, error) {
	id := k.id
	if id == nil {
		var err error
		if id, err = credential.KeyID(k.private.Public()); err != nil {
			return credential.TrustKey{}, err
		}
	}
	return credential.Key{ID: id, Issuer: k.issuer, Public: k.private.Public(), Usage: k.usage, Withdrawn: k.withdrawn,
		NotBefore: from.UTC().Truncate(time.Second), NotAfter: to.UTC().Truncate(time.Second)}.Listed()
}

// newCodeKey makes what a region signs codes with: ES256, which every phone's code can
// carry and every board verifies in a tenth of a millisecond, unless it asks for another.
func newCodeKey(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "es256":
		return newIssuerKey()
	case "eddsa":
		return newGateKey()
	case "sm2":
		return sm2.GenerateKey(rand.Reader)
	}
	return nil, daemon.UsageError{Err: fmt.Errorf("--type %q: want es256, eddsa or sm2", algorithm)}
}

// writeKey makes a key file that only its owner can read, and never over one that is there:
// a lost issuer's key is a region without codes.
func writeKey(path string, key crypto.PrivateKey) error {
	der, err := smx509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return writeNew(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// writeNew writes a file that is not there yet, for its owner alone.
func writeNew(path string, body []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(body); err != nil {
		return err
	}
	return f.Sync()
}

// publicKey gives the PEM text of the other half.
func publicKey(key crypto.Signer) ([]byte, error) {
	der, err := smx509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// newIssuerKey makes a key for ES256, and for whoever else needs one on P-256.
func newIssuerKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// newGateKey makes what a gate signs its batches with.
func newGateKey() (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return key, err
}

// certificate makes a regional server's own certificate, in force for two years, which
// gates are told to trust by file rather than through an authority.
func certificate(key crypto.Signer, hosts []string, now time.Time) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "gatehouse region"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(2, 0, 0),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// isRegion reports whether a name is that of a region as the signed repository has them: a
// country, or within China a division.
func isRegion(name string) bool {
	country, division, divided := strings.Cut(name, "-")
	letters := func(r rune) bool { return r < 'A' || r > 'Z' }
	digits := func(r rune) bool { return r < '0' || r > '9' }
	if len(country) != 2 || strings.ContainsFunc(country, letters) {
		return false
	}
	return !divided || country == "CN" && (len(division) == 2 || len(division) == 4 || len(division) == 6) && !strings.ContainsFunc(division, digits)
}

// maxSmall bounds every file that is read whole here and is not an image.
const maxSmall = 4 << 20
