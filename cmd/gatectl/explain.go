package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/credential"
)

// steps tells how the verdict came about, one step a line: bytes, header, key, signature,
// times, what is stated, temperature, policy. It names nobody.
func (s *scan) steps(codes qrLine, text string, p gatehouse.Passage) (steps []string) {
	say := func(format string, args ...any) { steps = append(steps, fmt.Sprintf(format, args...)) }
	say("image      %d codes read in %.1f ms", len(codes.Texts), codes.MS)
	u, err := credential.Parse(text)
	if err != nil {
		say("text       %d characters: %s", len(text), plain(err))
		return append(steps, "verdict    "+verdictStep(p))
	}
	say("text       %d characters, %s, %d bytes signed", len(text), u.Format(), u.Size())
	say("header     algorithm %s, key %s", u.Algorithm(), u.KeyID())
	s.keySteps(u, say)
	pass, err := u.Verify(credential.Verifier{Keys: s.keys}, s.at)
	if err != nil {
		say("code       %s", plain(err))
		return append(steps, "verdict    "+verdictStep(p))
	}
	say("signature  holds")
	say("times      issued %s, expires %s, judged as of %s", stamp(pass.Issued), stamp(pass.Expires), stamp(s.at))
	if pass.Grade != gatehouse.NoGrade {
		say("colour     %s, as %s issued it", pass.Grade, pass.Issuer)
	}
	for _, f := range pass.Facts {
		say("fact       %s %s %s", f.Kind, stamp(f.At), f.Result)
	}
	for _, w := range pass.Warnings {
		say("warning    %s", w)
	}
	say("skin       %s, %s", s.skin.Skin, s.skin.Quality)
	return append(steps, "policy     "+s.policyStep(), "verdict    "+verdictStep(p))
}

// keySteps tells which keys answer to the code's key id.
func (s *scan) keySteps(u credential.Unverified, say func(string, ...any)) {
	kid, err := hex.DecodeString(u.KeyID())
	if err != nil {
		return
	}
	keys := s.keys.Keys(kid)
	if len(keys) == 0 {
		say("key        nobody vouches for it")
	}
	for _, k := range keys {
		state := "in use"
		if k.Withdrawn {
			state = "withdrawn"
		}
		say("key        of %s, for %s, %s", k.Issuer, k.Usage, state)
	}
	if s.list != nil {
		say("trust      list %s/%d of %s, %d h old", s.list.Region, s.list.Version, stamp(s.list.Issued), int(s.list.Age(s.at).Hours()))
	}
}

func (s *scan) policyStep() string {
	switch {
	case s.rules.Version == 0:
		return "none: give --trust or --policy"
	case !s.signed:
		return s.rules.Name() + ", not signed: no gate would take it like this"
	}
	return s.rules.Name()
}

func verdictStep(p gatehouse.Passage) string {
	if p.Verdict.Reason == gatehouse.ReasonNone {
		return p.Verdict.Call.String()
	}
	return fmt.Sprintf("%s %s: %s", p.Verdict.Call, p.Verdict.Reason, p.Verdict.Detail)
}

// plain is a refusal's reason and detail, or any other error's text.
func plain(err error) string {
	var refusal *gatehouse.Refusal
	if errors.As(err, &refusal) {
		return string(refusal.Reason) + ", " + refusal.Detail
	}
	return err.Error()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}
