package policy

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"gatehouse"
)

// A person is one judging: the evidence and what the native steps found of it, as the
// expressions see it. It lives for one verdict and is never kept.
type person struct {
	policy *Policy
	e      *gatehouse.Evidence
	pass   *gatehouse.Pass

	here    gatehouse.Grade // the colour as judged here
	matched *recognition    // the row of the matrix that holds; nil for none
	skin    reading
	trust   gatehouse.Trust

	words [maxSlots]uint8    // what each field of few words says
	cache [maxFields]ref.Val // values that an expression has asked for
	parts [8]part
}

// Bounds of the vocabulary; a test holds fields() to them.
const (
	maxFields = 64
	maxSlots  = 24
)

// A part is one variable of the environment: pass, skin, history and so on. All show the
// same person.
type part struct {
	typ *types.Type
	who *person
}

func (*part) ConvertToNative(t reflect.Type) (any, error) { return nil, fmt.Errorf("no %v here", t) }
func (p *part) ConvertToType(ref.Type) ref.Val            { return types.NewErr("%s is not convertible", p.typ) }
func (p *part) Equal(other ref.Val) ref.Val               { return types.Bool(ref.Val(p) == other) }
func (p *part) Type() ref.Type                            { return p.typ }
func (p *part) Value() any                                { return p.who }

// ResolveName gives the variables to the expression machine.
func (p *person) ResolveName(name string) (any, bool) {
	switch name {
	case "pass":
		return p.part(0, typePass), true
	case "here":
		return p.part(1, typeHere), true
	case "skin":
		return p.part(2, typeSkin), true
	case "trust":
		return p.part(3, typeTrust), true
	case "history":
		return p.part(4, typeHistory), true
	case "second":
		return p.part(5, typeSecond), true
	case "sets":
		return p.part(6, typeSets), true
	case "issuer":
		return &issuerVal{p.pass.Issuer}, true
	case "site":
		return &issuerVal{p.policy.here()}, true
	case "now":
		return types.Timestamp{Time: p.e.At}, true
	}
	return nil, false
}

func (p *person) part(i int, typ string) *part {
	if p.parts[i].who == nil {
		p.parts[i] = part{p.policy.machine.types[typ], p}
	}
	return &p.parts[i]
}

// Parent is nil: there is nothing but this person.
func (*person) Parent() activation { return nil }

// second is the second code, or one that says nothing.
func (p *person) second() *gatehouse.Pass {
	if p.e.Second == nil {
		return &gatehouse.Pass{}
	}
	return p.e.Second
}

func (p *person) recognition() deal {
	if p.matched == nil {
		return dealNone
	}
	return p.matched.deal
}

// list is the facts of one kind, of those that the policy may read.
func (p *person) list(facts []gatehouse.Fact, kind gatehouse.FactKind) ref.Val {
	var vals []ref.Val
	for i := range facts {
		if facts[i].Kind == kind {
			vals = append(vals, &factVal{&facts[i]})
		}
	}
	return types.NewRefValList(types.DefaultTypeAdapter, vals)
}

// ageGroup tells child, adult and elder apart where the code's date of birth leaves no
// doubt: of somebody who may still be a child by a few months nothing is said.
func (p *person) ageGroup() uint8 {
	born, ok := birthYear(p.pass.Holder.Birth)
	if !ok {
		return 0
	}
	_, rest, _ := strings.Cut(p.pass.Holder.Birth, "-")
	at := p.e.At.In(p.policy.zone.Location)
	oldest := at.Year() - born // the birthday of this year has been
	youngest := oldest - 1
	if month, err := time.Parse("2006-01-02", "2000-"+rest); err == nil {
		if at.Month() > month.Month() || at.Month() == month.Month() && at.Day() >= month.Day() {
			youngest = oldest
		} else {
			oldest = youngest
		}
	}
	switch ages := p.policy.ages; {
	case ages.ElderFrom == 0:
		return 0
	case oldest < ages.ChildBelow:
		return 1
	case youngest >= ages.ElderFrom:
		return 3
	case youngest >= ages.ChildBelow && oldest < ages.ElderFrom:
		return 2
	}
	return 0
}

func birthYear(birth string) (int, bool) {
	year, _, _ := strings.Cut(birth, "-")
	if len(year) != 4 {
		return 0, false
	}
	born, err := strconv.ParseUint(year, 10, 16)
	return int(born), err == nil
}

// A factVal is one fact as expressions see it.
type factVal struct{ f *gatehouse.Fact }

func (*factVal) ConvertToNative(t reflect.Type) (any, error) { return nil, fmt.Errorf("no %v here", t) }
func (*factVal) ConvertToType(ref.Type) ref.Val              { return types.NewErr("a fact is not convertible") }
func (v *factVal) Equal(other ref.Val) ref.Val               { return types.Bool(ref.Val(v) == other) }
func (*factVal) Type() ref.Type                              { return types.NewObjectType(typeFact) }
func (v *factVal) Value() any                                { return v.f }

// An issuerVal is a region as expressions see it.
type issuerVal struct{ i gatehouse.Issuer }

func (*issuerVal) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("no %v here", t)
}
func (*issuerVal) ConvertToType(ref.Type) ref.Val { return types.NewErr("a region is not convertible") }
func (v *issuerVal) Equal(other ref.Val) ref.Val {
	o, ok := other.(*issuerVal)
	return types.Bool(ok && o.i == v.i)
}
func (*issuerVal) Type() ref.Type { return types.NewObjectType(typeIssuer) }
func (v *issuerVal) Value() any   { return v }

// A setVal is one of the policy's sets of words.
type setVal struct{ words map[string]bool }

func (*setVal) ConvertToNative(t reflect.Type) (any, error) { return nil, fmt.Errorf("no %v here", t) }
func (*setVal) ConvertToType(ref.Type) ref.Val              { return types.NewErr("a set is not convertible") }
func (v *setVal) Equal(other ref.Val) ref.Val               { return types.Bool(ref.Val(v) == other) }
func (v *setVal) Type() ref.Type                            { return v.objectType() }
func (v *setVal) Value() any                                { return v }

func (*setVal) objectType() *types.Type { return types.NewObjectType(typeSet, traits.ContainerType) }

// Contains answers "in".
func (v *setVal) Contains(word ref.Val) ref.Val {
	s, ok := word.(types.String)
	return types.Bool(ok && v.words[string(s)])
}

// division is what follows the hyphen of a region's name.
func division(i gatehouse.Issuer) string {
	_, d, _ := strings.Cut(string(i), "-")
	return d
}

func formatWord(format string) uint8 {
	for i, w := range formatWords[1:] {
		if w == format {
			return uint8(i + 1)
		}
	}
	return 0
}

func gradeIndex(g gatehouse.Grade) uint8 {
	if int(g) >= len(gradeWords) {
		return 0
	}
	return uint8(g)
}
