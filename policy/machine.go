package policy

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"gatehouse"
)

type activation = interpreter.Activation

// Sizes that evidence is held to before any rule sees it (see plausible), so that the cost
// which is estimated of a rule bounds what it can cost.
const (
	maxFacts = 64
	maxWord  = 128 // bytes of a fact's text
)

// A machine is the typed environment of one policy's expressions: the Common Expression
// Language with the vocabulary of fields() and a few functions. It holds no state.
type machine struct {
	env    *cel.Env
	types  map[string]*types.Type
	fields map[string]map[string]*seen // of a type, by name
	sets   map[string]*setVal
	grades bool // whether there is a table of risk to ask
	zone   zone
	locked map[string]string // path of a field that the purpose lock takes away -> its group
}

// A seen is a field as the environment offers it.
type seen struct {
	field
	index int // of its cached value; -1 for none
	slot  int // of its word; -1 for none
	ft    *types.FieldType
}

// newMachine makes the environment of a policy that may read the given groups.
func newMachine(reads claims, sets map[string]*setVal, grades bool, z zone) (*machine, error) {
	m := &machine{types: map[string]*types.Type{}, fields: map[string]map[string]*seen{}, sets: sets, grades: grades, zone: z, locked: map[string]string{}}
	for _, name := range []string{typePass, typeIssuer, typeHere, typeSkin, typeTrust, typeHistory, typeSecond, typeFact, typeSets, typeSet} {
		m.types[name] = types.NewObjectType(name)
		m.fields[name] = map[string]*seen{}
	}
	m.types[typeSet] = (*setVal)(nil).objectType()
	index, slot := 0, 0
	for _, f := range fields() {
		s := &seen{field: f, index: -1, slot: -1}
		if f.value != nil {
			s.index = index
			index++
		}
		if f.word != nil {
			s.slot = slot
			slot++
		}
		s.ft = s.fieldType()
		if f.claim&^reads != 0 {
			m.locked[f.path()] = (f.claim &^ reads).names()[0]
			continue
		}
		m.fields[f.of][f.name] = s
	}
	for name, set := range sets {
		m.fields[typeSets][name] = &seen{field: field{of: typeSets, name: name}, index: -1, slot: -1, ft: &types.FieldType{Type: m.types[typeSet],
			IsSet: func(any) bool { return true }, GetFrom: func(any) (any, error) { return set, nil }}}
	}
	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(library())),
		cel.CustomTypeProvider(m),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(64),
		cel.ParserErrorRecoveryLimit(4),
		cel.Variable("now", cel.TimestampType),
	}
	for name, typ := range variables() {
		options = append(options, cel.Variable(name, m.types[typ]))
	}
	made, err := cel.NewCustomEnv(append(options, m.functions()...)...)
	if err != nil {
		return nil, fmt.Errorf("expression environment: %w", err)
	}
	m.env = made
	return m, nil
}

// library is the part of CEL's standard library that rules have: comparing, counting and
// reasoning, and no pattern matching, no time zones by name, no types at run time.
func library() *env.LibrarySubset {
	var take []*env.Function
	for _, name := range []string{operators.Conditional, operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot, operators.NotStrictlyFalse,
		operators.Equals, operators.NotEquals, operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals,
		operators.Add, operators.Subtract, operators.Multiply, operators.Divide, operators.Modulo, operators.Negate, operators.In, operators.Index,
		"size", "startsWith", "endsWith", "contains", "timestamp", "duration", "double", "int"} {
		take = append(take, env.NewFunction(name))
	}
	return env.NewLibrarySubset().AddIncludedFunctions(take...).AddIncludedMacros("has", "all", "exists", "exists_one", "filter")
}

// functions are the words of the field: hours_since, days_since, seconds_since, risk,
// within, and membership in the policy's sets.
func (m *machine) functions() []cel.EnvOption {
	issuer, set := m.types[typeIssuer], m.types[typeSet]
	levels := make([]ref.Val, len(riskWords))
	for i, w := range riskWords {
		levels[i] = types.String(w)
	}
	return []cel.EnvOption{
		cel.Macros(of("now", "hours_since"), of("now", "days_since"), of("now", "seconds_since"), of("here", "risk")),
		cel.Function("@hours_since", cel.Overload("hours_between", []*cel.Type{cel.TimestampType, cel.TimestampType}, cel.DoubleType,
			cel.BinaryBinding(between(func(now, t types.Timestamp) ref.Val { return types.Double(now.Sub(t.Time).Hours()) })))),
		cel.Function("@seconds_since", cel.Overload("seconds_between", []*cel.Type{cel.TimestampType, cel.TimestampType}, cel.DoubleType,
			cel.BinaryBinding(between(func(now, t types.Timestamp) ref.Val { return types.Double(now.Sub(t.Time).Seconds()) })))),
		cel.Function("@days_since", cel.Overload("days_between", []*cel.Type{cel.TimestampType, cel.TimestampType}, cel.IntType,
			cel.BinaryBinding(between(func(now, t types.Timestamp) ref.Val { return types.Int(m.zone.days(t.Time, now.Time)) })))),
		cel.Function("@risk", cel.Overload("risk_of_division", []*cel.Type{m.types[typeHere], cel.StringType}, cel.StringType,
			cel.BinaryBinding(func(here, v ref.Val) ref.Val {
				of, ok := here.(*part) // whose policy has the table
				s, ok2 := v.(types.String)
				if !ok || !ok2 {
					return types.MaybeNoSuchOverloadErr(v)
				}
				table := of.who.policy.risk
				if !table.known() {
					return types.NewErr("the region's table of risk is not at this gate")
				}
				return levels[table.of(string(s), of.who.e.At)]
			}))),
		cel.Function("within", cel.Overload("issuer_within_region", []*cel.Type{issuer, cel.StringType}, cel.BoolType,
			cel.BinaryBinding(func(a, b ref.Val) ref.Val {
				i, ok := a.(*issuerVal)
				s, ok2 := b.(types.String)
				if !ok || !ok2 {
					return types.MaybeNoSuchOverloadErr(a)
				}
				return types.Bool(i.i.Within(gatehouse.Issuer(s)))
			}))),
		// The standard library's own "in" asks any container; a set is one.
		cel.Function(operators.In, cel.Overload("in_named_set", []*cel.Type{cel.StringType, set}, cel.BoolType)),
	}
}

// of makes f(x) ask for a variable, too: "from t to now", "the risk of x as known here".
func of(variable, name string) cel.Macro {
	return cel.GlobalMacro(name, 1, func(eh cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		return eh.NewCall("@"+name, eh.NewIdent(variable), args[0]), nil
	})
}

func between(f func(now, t types.Timestamp) ref.Val) func(a, b ref.Val) ref.Val {
	return func(a, b ref.Val) ref.Val {
		now, ok := a.(types.Timestamp)
		t, ok2 := b.(types.Timestamp)
		if !ok || !ok2 {
			return types.MaybeNoSuchOverloadErr(a)
		}
		return f(now, t)
	}
}

// fieldType tells the expression machine how a field is read.
func (s *seen) fieldType() *types.FieldType {
	read := func(obj any) (ref.Val, error) {
		switch o := obj.(type) {
		case *person:
			if s.value == nil {
				break
			}
			if v := o.cache[s.index]; v != nil {
				return v, nil
			}
			v, err := s.value(o)
			if err == nil {
				o.cache[s.index] = v
			}
			return v, err
		case *gatehouse.Fact:
			if s.fact != nil {
				return s.fact(o)
			}
		case *issuerVal:
			if s.issuer != nil {
				return s.issuer(o.i), nil
			}
		}
		return nil, fmt.Errorf("%s has no %s", s.of, s.name)
	}
	return &types.FieldType{
		Type: s.typ,
		IsSet: func(obj any) bool {
			v, err := read(obj)
			return err == nil && v != types.String("")
		},
		GetFrom: func(obj any) (any, error) { return read(obj) },
	}
}

// The methods below make a machine the type provider of its environment.

func (*machine) EnumValue(name string) ref.Val    { return types.NewErr("unknown name %s", name) }
func (*machine) FindIdent(string) (ref.Val, bool) { return nil, false }
func (*machine) NewValue(name string, _ map[string]ref.Val) ref.Val {
	return types.NewErr("%s cannot be made", name)
}

func (m *machine) FindStructType(name string) (*types.Type, bool) {
	t, ok := m.types[name]
	if !ok {
		return nil, false
	}
	return types.NewTypeTypeWithParam(t), true
}

func (m *machine) FindStructFieldNames(name string) (names []string, ok bool) {
	for field := range m.fields[name] {
		names = append(names, field)
	}
	return names, m.fields[name] != nil
}

func (m *machine) FindStructFieldType(typ, name string) (*types.FieldType, bool) {
	s, ok := m.fields[typ][name]
	if !ok {
		return nil, false
	}
	return s.ft, true
}

// EstimateSize and EstimateCallCost bound what a rule can cost by the sizes that evidence
// is held to.
func (*machine) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	switch n.Type().Kind() {
	case types.ListKind:
		if n.ComputedSize() == nil {
			return &cost.SizeEstimate{Min: 0, Max: maxFacts}
		}
	case types.StringKind:
		if n.ComputedSize() == nil {
			return &cost.SizeEstimate{Min: 0, Max: maxWord}
		}
	}
	return nil
}

func (*machine) EstimateCallCost(function, overload string, _ *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	switch overload {
	case "risk_of_division", "issuer_within_region", "in_named_set", "hours_between", "seconds_between", "days_between":
		return &cost.CallEstimate{CostEstimate: cost.FixedCostEstimate(2)}
	}
	return nil
}
