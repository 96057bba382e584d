package policy

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/policy/certlogic"
)

// States is a Library of what the EU's member states publish for travel certificates. It
// never changes once it is made.
type States struct {
	rules map[string]certlogic.Rules // by "DE/entry"
	sets  certlogic.ValueSets
}

// ReadStates makes a library of rules as they are published, in JSON, by "COUNTRY/purpose",
// and the value sets that the rules ask for. Who published them is proven elsewhere.
func ReadStates(rules map[string][]byte, valueSets []byte) (*States, error) {
	s := &States{rules: map[string]certlogic.Rules{}}
	var err error
	if s.sets, err = certlogic.ReadValueSets(valueSets); err != nil {
		return nil, fmt.Errorf("value sets: %w", err)
	}
	for name, body := range rules {
		if s.rules[name], err = certlogic.ReadRules(body); err != nil {
			return nil, fmt.Errorf("published rules of %s: %w", name, err)
		}
	}
	return s, nil
}

// Rules gives a country's rules for a purpose.
func (s *States) Rules(country, purpose string) (Published, bool) {
	if s == nil {
		return nil, false
	}
	rules, ok := s.rules[country+"/"+purpose]
	return stateRules{rules, country, s.sets}, ok
}

type stateRules struct {
	rules   certlogic.Rules
	country string
	sets    certlogic.ValueSets
}

// Failing runs the rules that bind a certificate. That no rule binds it is no reason to
// admit anybody, and neither is a rule that cannot be computed.
func (s stateRules) Failing(pass *gatehouse.Pass, at time.Time) (failing []string, err error) {
	kind := ""
	for _, f := range pass.Facts {
		switch f.Kind {
		case gatehouse.Vaccination:
			kind = "Vaccination"
		case gatehouse.Test:
			kind = "Test"
		case gatehouse.Recovery:
			kind = "Recovery"
		}
	}
	binding := s.rules.Applicable(certlogic.Selection{Country: s.country, Issuer: pass.Issuer.Country(), Certificate: kind, At: at})
	if len(binding) == 0 {
		return nil, fmt.Errorf("none binds this certificate today")
	}
	kid, err := hex.DecodeString(pass.KeyID)
	if err != nil {
		return nil, fmt.Errorf("key id: %w", err)
	}
	results := binding.Judge(pass.Native, certlogic.External{ValidationClock: at, ValueSets: s.sets, CountryCode: s.country,
		IssuerCountryCode: pass.Issuer.Country(), Exp: pass.Expires, Iat: pass.Issued, KID: base64.StdEncoding.EncodeToString(kid)})
	for _, r := range results {
		switch r.Outcome {
		case certlogic.Failed:
			failing = append(failing, r.Rule.Identifier)
		case certlogic.Open:
			err = r.Err
		}
	}
	if len(failing) > 0 {
		return failing, nil // one that refuses settles it
	}
	return nil, err
}
