package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
)

func trustKeysCommand() *cobra.Command {
	var region, issuer, from, until, base string
	var usage, names []string
	var withdraw []string
	c := &cobra.Command{
		Use:   "keys FILE...",
		Short: "Make a region's key list of PEM, JWK, DID documents and certificates",
		Long: `keys reads public keys as issuers hand them out (certificates and keys in PEM, DER as base64, a JWK
or a set of them, a DID document, certificates of states' signing authorities) and writes
them as the list that a region signs. --base takes over a list that is there: its keys stay,
and its version is counted up.

An issuer abroad is known by a name beside its key, a URL or a DID: --name says it. Authorities
are listed to certify; --usage says what every other key may sign.`,
		Example: `  gatectl trust keys --region CN-330100 --base keys.json --usage health-code hangzhou-2.pub > next.json
  gatectl trust keys --region DE --usage vaccination,test,recovery dsc.pem > keys.json
  gatectl trust keys --region US --usage vaccination,test --name https://ekeys.ny.gov/epass/doh/dvc/2021 jwks.json > keys.json
  gatectl trust keys --region CN-330100 --base keys.json --withdraw 5a1f00c2 > next.json`,
		RunE: func(c *cobra.Command, files []string) error {
			list, err := baseList(base, region)
			if err != nil {
				return daemon.UsageError{Err: err}
			}
			form := keyForm{issuer: gatehouse.Issuer(issuer), names: names}
			if issuer == "" {
				form.issuer = list.Region
			}
			if form.usage, err = listUsage(usage); err != nil {
				return daemon.UsageError{Err: err}
			}
			if form.from, form.until, err = span(from, until); err != nil {
				return daemon.UsageError{Err: err}
			}
			for _, file := range files {
				if err := form.add(&list, file); err != nil {
					return daemon.UsageError{Err: fmt.Errorf("%s: %w", file, err)}
				}
			}
			for _, begin := range withdraw {
				if err := withdrawn(&list, begin); err != nil {
					return daemon.UsageError{Err: err}
				}
			}
			text, err := listText(list)
			if err != nil {
				return daemon.UsageError{Err: err}
			}
			_, err = c.OutOrStdout().Write(text)
			return err
		},
	}
	c.Flags().StringVar(&region, "region", "", "the region that will sign the list")
	c.Flags().StringVar(&base, "base", "", "a list to take over and to count up")
	c.Flags().StringVar(&issuer, "issuer", "", "whose keys they are (default: the region)")
	c.Flags().StringSliceVar(&usage, "usage", []string{"health-code"}, "what the keys may sign: health-code, travel-code, test, vaccination, recovery, entitlement")
	c.Flags().StringArrayVar(&names, "name", nil, "how codes name the issuer: a URL or a DID (repeatable)")
	c.Flags().StringVar(&from, "from", "", "codes count from here, RFC 3339 (default: a certificate's own, or now)")
	c.Flags().StringVar(&until, "until", "", "and up to here (default: a certificate's own, or two years on)")
	c.Flags().StringArrayVar(&withdraw, "withdraw", nil, "id of a key of which nothing counts any more, or its beginning (repeatable)")
	return c
}

// baseList is the list to begin with, one version on.
func baseList(file, region string) (credential.TrustList, error) {
	list := credential.TrustList{Kind: "trust", Region: gatehouse.Issuer(region), Keys: []credential.TrustKey{}}
	if file != "" {
		body, err := daemon.ReadFile(file, maxSmall)
		if err == nil {
			_, err = credential.ReadTrust(body)
		}
		if err == nil {
			err = json.Unmarshal(body, &list)
		}
		if err != nil {
			return list, fmt.Errorf("--base: %w", err)
		}
		if region != "" && list.Region != gatehouse.Issuer(region) {
			return list, fmt.Errorf("--base %s is %s's, not %s's", file, list.Region, region)
		}
	}
	if !isRegion(string(list.Region)) {
		return list, errors.New("--region is missing: the region that will sign the list, as CN-330100 or DE")
	}
	list.Version++
	list.Issued = time.Now().UTC().Truncate(time.Second)
	return list, nil
}

// A keyForm is what is said of all keys of one call.
type keyForm struct {
	issuer      gatehouse.Issuer
	names       []string
	usage       credential.Usage
	from, until time.Time
}

func (f keyForm) add(list *credential.TrustList, file string) error {
	text, err := daemon.ReadFile(file, maxSmall)
	if err != nil {
		return err
	}
	// An authority's key signs no codes, so that it is not listed as one that does.
	keys, err := credential.ReadCSCA(text)
	if err != nil {
		if keys, err = credential.ReadSigner(text); err != nil {
			return err
		}
	}
	for _, k := range keys {
		if k.Usage&credential.UseCertify == 0 {
			k.Usage = f.usage
		} else if k.Issuer != "" && f.issuer.Country() != k.Issuer.Country() {
			return fmt.Errorf("it is an authority of %s, not of %s", k.Issuer, f.issuer)
		}
		k.AnyIssuer, k.Issuer = false, f.issuer
		if len(f.names) > 0 {
			k.Names = f.names
		}
		k.NotBefore, k.NotAfter = f.bounds(k)
		listed, err := k.Listed()
		if err != nil {
			return err
		}
		same := func(old credential.TrustKey) bool { return old.KID == listed.KID && bytes.Equal(old.SPKI, listed.SPKI) }
		list.Keys = append(slices.DeleteFunc(list.Keys, same), listed)
	}
	return nil
}

// bounds are the key's own where nobody says otherwise.
func (f keyForm) bounds(k credential.Key) (from, until time.Time) {
	from, until = f.from, f.until
	if from.IsZero() {
		from = k.NotBefore
	}
	if until.IsZero() {
		until = k.NotAfter
	}
	now := time.Now().UTC().Truncate(time.Second)
	if from.IsZero() {
		from = now
	}
	if until.IsZero() {
		until = now.AddDate(2, 0, 0)
	}
	return from, until
}

func span(from, until string) (a, b time.Time, err error) {
	if from != "" {
		if a, err = time.Parse(time.RFC3339, from); err != nil {
			return a, b, fmt.Errorf("--from %q is no RFC 3339 time", from)
		}
	}
	if until != "" {
		if b, err = time.Parse(time.RFC3339, until); err != nil {
			return a, b, fmt.Errorf("--until %q is no RFC 3339 time", until)
		}
	}
	return a, b, nil
}

// listUsage reads what keys may sign, in the words of the trust list.
func listUsage(words []string) (all credential.Usage, err error) {
	for _, word := range words {
		found := false
		for u := credential.UseHealthCode; u < credential.UseCertify; u <<= 1 {
			if u.String() == word {
				all, found = all|u, true
			}
		}
		if !found {
			return 0, fmt.Errorf("--usage %q: want health-code, travel-code, test, vaccination, recovery or entitlement", word)
		}
	}
	return all, nil
}

func withdrawn(list *credential.TrustList, begin string) error {
	var found []int
	for i, k := range list.Keys {
		if begin != "" && strings.HasPrefix(k.KID, strings.ToLower(begin)) {
			found = append(found, i)
		}
	}
	if len(found) != 1 {
		return fmt.Errorf("--withdraw %s: %d keys of the list begin with it, want one", begin, len(found))
	}
	list.Keys[found[0]].Withdrawn = true
	return nil
}

// listText writes a list with a key a line, so that people can compare two, and reads it back
// as a gate will.
func listText(list credential.TrustList) ([]byte, error) {
	var keys [][]byte
	for _, k := range list.Keys {
		line, err := json.Marshal(k)
		if err != nil {
			return nil, err
		}
		keys = append(keys, line)
	}
	text := fmt.Appendf(nil, "{\"kind\":\"trust\",\"region\":%q,\"version\":%d,\"issued\":%q,\"keys\":[\n%s\n]}\n",
		list.Region, list.Version, list.Issued.Format(time.RFC3339), bytes.Join(keys, []byte(",\n")))
	_, err := credential.ReadTrust(text)
	return text, err
}
