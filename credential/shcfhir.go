package credential

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// Systems of codes that a card's bundle refers to.
const (
	systemCVX    = "http://hl7.org/fhir/sid/cvx"
	systemSNOMED = "http://snomed.info/sct"
	systemLOINC  = "http://loinc.org"
	systemATC    = "http://www.whocc.no/atc"

	systemInterpretation = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
)

// covidVaccines are the codes of vaccines against COVID-19. A card may hold all vaccinations
// of a life; those against other diseases are no facts for a gate, and a rule that asks for
// "a vaccination" must not be met by them.
var covidVaccines = map[string][]string{
	systemCVX: strings.Fields("207 208 210 211 212 213 217 218 219 221 225 226 227 228 229 230 300 301 302 308 309 310 " +
		"311 312 313 500 501 502 503 504 505 506 507 508 509 510 511 512 513 514 515 516 517 518 519 520 521"),
	systemSNOMED: {"1119305005", "1119349007", "840534001"},
	systemATC:    {"J07BN", "J07BN01", "J07BN02", "J07BN03", "J07BN04", "J07BX03"},
}

// covidTests are the LOINC codes of tests for the virus itself, by its nucleic acid or its
// antigen. Antibodies are a sign of the past, and a negative glucose is no negative test.
var covidTests = strings.Fields(
	"94309-2 94314-2 94315-9 94316-7 94500-6 94533-7 94534-5 94559-2 94565-9 94640-6 94641-4 94756-4 94757-2 94759-8 " +
		"94760-6 94845-5 95406-5 95425-5 95608-6 95824-9 96123-5 96797-6 " + // nucleic acid
		"94558-4 95209-3 96119-3 97097-0") // antigen

// outcomes are the codes that say how a test came out.
var outcomes = map[string]map[string]gatehouse.Result{
	systemSNOMED: {
		"260373001": gatehouse.Positive, "10828004": gatehouse.Positive,
		"260415000": gatehouse.Negative, "260385009": gatehouse.Negative,
	},
	systemLOINC: {
		"LA11882-0": gatehouse.Positive, "LA6576-8": gatehouse.Positive,
		"LA11883-8": gatehouse.Negative, "LA6577-6": gatehouse.Negative,
	},
	systemInterpretation: {
		"POS": gatehouse.Positive, "DET": gatehouse.Positive, "NEG": gatehouse.Negative, "ND": gatehouse.Negative,
	},
}

const maxFacts = 32 // of one card

// shcBody is what a card says.
type shcBody struct {
	claims    jsonValue
	rid       string
	resources map[string][]jsonValue // by type: Patient, Immunization, Observation
	others    int                    // resources of other types
}

func openSHC(claims jsonValue) (contents, error) {
	vc := claims.get("vc")
	b := &shcBody{claims: claims, rid: vc.get("rid").str(), resources: map[string][]jsonValue{}}
	if vc.get("rid").kind() != 0 && !isRID(b.rid) {
		return nil, fmt.Errorf("its revocation id is not 1 to %d characters of base64url", maxRID)
	}
	for entry := range vc.get("credentialSubject").get("fhirBundle").get("entry").elements() {
		resource := entry.get("resource")
		switch kind := resource.get("resourceType").str(); kind {
		case "Patient", "Immunization", "Observation":
			b.resources[kind] = append(b.resources[kind], resource)
		default:
			b.others++
		}
	}
	return b, nil
}

func isRID(s string) bool {
	if len(s) < 1 || len(s) > maxRID {
		return false
	}
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// uses asks of the key what stands in the card, not what a gate takes from it.
func (b *shcBody) uses() (u Usage) {
	if len(b.resources["Observation"]) > 0 {
		u |= UseTest
	}
	if len(b.resources["Immunization"]) > 0 || u == 0 {
		u |= UseVaccination
	}
	return u
}

// ids is the revocation id as its issuer's list spells it.
func (b *shcBody) ids() [][]byte {
	if b.rid == "" {
		return nil
	}
	return [][]byte{[]byte(b.rid)}
}

func (b *shcBody) tell(pass *gatehouse.Pass) error {
	t := teller{pass: pass}
	if b.rid != "" {
		pass.Code = tagOf([]byte(b.rid))
	}
	if err := b.tellHolder(t); err != nil {
		return err
	}
	if version := b.claims.get("vc").get("credentialSubject").get("fhirVersion").str(); !strings.HasPrefix(version, "4.0.") {
		t.warn("FHIR in another version than 4.0")
	}
	b.tellVaccinations(t)
	b.tellTests(t)
	if len(pass.Facts) > maxFacts {
		return fmt.Errorf("%d vaccinations and tests, at most %d", len(pass.Facts), maxFacts)
	}
	if b.others > 0 {
		t.warn("holds records that are not read here")
	}
	for name := range b.claims.members() {
		if !slices.Contains([]string{"iss", "nbf", "exp", "vc"}, name) {
			t.warn("holds claims that are not known here")
			break
		}
	}
	return nil
}

func (t teller) warn(warning string) { t.pass.Warnings = append(t.pass.Warnings, warning) }

func (b *shcBody) tellHolder(t teller) error {
	patients := b.resources["Patient"]
	switch len(patients) {
	case 0:
		t.warn("names nobody")
		return nil
	case 1:
	default:
		return errors.New("more than one patient")
	}
	holder := &t.pass.Holder
	for name := range patients[0].get("name").elements() {
		if holder.Name == "" {
			holder.Name = mask(cmp.Or(name.get("family").str(), name.get("text").str()))
		}
	}
	var ok bool
	if holder.Birth, ok = birth(patients[0].get("birthDate").str()); !ok {
		t.warn("birth date cannot be read")
	}
	return nil
}

func (b *shcBody) tellVaccinations(t teller) {
	var doses []gatehouse.Fact
	unread, others := false, false
	for _, shot := range b.resources["Immunization"] {
		product := ""
		for coding := range shot.get("vaccineCode").get("coding").elements() {
			code := coding.get("code").str()
			if product == "" && slices.Contains(covidVaccines[coding.get("system").str()], code) {
				product = code
			}
		}
		switch {
		case shot.get("status").str() != "completed":
			unread = true
		case product == "":
			others = true
		default:
			fact := gatehouse.Fact{Kind: gatehouse.Vaccination, Product: product}
			fact.At = t.when("vaccination", shot.get("occurrenceDateTime").str())
			doses = append(doses, fact)
		}
	}
	if unread {
		t.warn("a vaccination that was not completed")
	}
	if others {
		t.warn("vaccinations against other diseases")
	}
	// The card counts no doses; their order in time does. One whose day is not known counts
	// first, as the oldest.
	slices.SortStableFunc(doses, func(a, b gatehouse.Fact) int { return a.At.Compare(b.At) })
	for i := range doses {
		doses[i].Dose = i + 1
	}
	t.pass.Facts = append(t.pass.Facts, doses...)
}

func (b *shcBody) tellTests(t teller) {
	others := false
	for _, seen := range b.resources["Observation"] {
		method := ""
		for coding := range seen.get("code").get("coding").elements() {
			code := coding.get("code").str()
			if method == "" && coding.get("system").str() == systemLOINC && slices.Contains(covidTests, code) {
				method = code
			}
		}
		if method == "" {
			others = true
			continue
		}
		fact := gatehouse.Fact{Kind: gatehouse.Test, Method: method, Result: outcome(seen)}
		fact.At = t.when("sample", seen.get("effectiveDateTime").str())
		switch status := seen.get("status").str(); {
		case !slices.Contains([]string{"final", "amended", "corrected"}, status):
			fact.Result = gatehouse.ResultUnknown
			t.warn("a test that is not final")
		case fact.Result == gatehouse.ResultUnknown:
			t.warn("test result cannot be read")
		}
		t.pass.Facts = append(t.pass.Facts, fact)
	}
	if others {
		t.warn("tests for something else")
	}
}

// outcome reads how a test came out; codes that contradict each other say nothing.
func outcome(seen jsonValue) (result gatehouse.Result) {
	read := func(concept jsonValue) bool {
		for coding := range concept.get("coding").elements() {
			switch said := outcomes[coding.get("system").str()][coding.get("code").str()]; {
			case said == gatehouse.ResultUnknown:
			case result != gatehouse.ResultUnknown && said != result:
				return false
			default:
				result = said
			}
		}
		return true
	}
	sound := read(seen.get("valueCodeableConcept"))
	for concept := range seen.get("interpretation").elements() {
		sound = sound && read(concept)
	}
	if !sound {
		return gatehouse.ResultUnknown
	}
	return result
}

// when reads a FHIR dateTime. A day is taken as its beginning, which makes a test older rather
// than younger; a month or a year alone is no time that a rule could count from.
func (t teller) when(what, s string) time.Time {
	if strings.Contains(s, "T") {
		return t.moment(what, s)
	}
	return t.day(what, s)
}
