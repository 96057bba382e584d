package policy

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// maxDocument bounds a policy's file: a thousand rules with their tests, and a table of all
// counties, are half of it.
const maxDocument = 1 << 20

// A document is a policy as its file spells it. docs/policy.md is its manual.
type document struct {
	Kind      string  `toml:"kind"`
	Site      string  `toml:"site"`
	Version   uint64  `toml:"version"`
	Title     words   `toml:"title"`
	Issued    any     `toml:"issued"`
	NotBefore any     `toml:"not_before"`
	Until     any     `toml:"until"`
	Zone      string  `toml:"zone"`
	Mode      string  `toml:"mode"`
	Measure   measure `toml:"temperature"`

	Purpose struct {
		Name   string   `toml:"name"`
		Zh     string   `toml:"zh"`
		En     string   `toml:"en"`
		Reads  []string `toml:"reads"`
		Widens uint64   `toml:"widens"`
	} `toml:"purpose"`
	Trust struct {
		FreshFor string `toml:"fresh_for"`
		StaleOK  string `toml:"stale_ok"`
	} `toml:"trust"`
	Ages    ages `toml:"ages"`
	Default struct {
		Call   string `toml:"call"`
		Reason string `toml:"reason"`
		Zh     string `toml:"zh"`
		En     string `toml:"en"`
	} `toml:"default"`
	Emergency struct {
		Activation string `toml:"activation"`
		MaxDays    int    `toml:"max_days"`
	} `toml:"emergency"`

	Recognise []recogniseDoc      `toml:"recognise"`
	Second    []secondDoc         `toml:"second"`
	Risk      riskDoc             `toml:"risk"`
	Sets      map[string][]string `toml:"sets"`
	Published []publishedDoc      `toml:"published"`
	Manual    []manualDoc         `toml:"manual"`
	Rule      []ruleDoc           `toml:"rule"`
	Test      []testDoc           `toml:"test"`
}

type words struct {
	Zh string `toml:"zh"`
	En string `toml:"en"`
}

// ages are the lines between child, adult and elder, in years of age.
type ages struct {
	ChildBelow int `toml:"child_below"`
	ElderFrom  int `toml:"elder_from"`
}

// measure is the table of temperatures, in degrees Celsius.
type measure struct {
	Off     bool    `toml:"off"`
	Fever   float64 `toml:"fever"`
	Low     float64 `toml:"low"`
	High    float64 `toml:"high"`
	K       float64 `toml:"k"`
	Ambient struct {
		From float64 `toml:"from"`
		To   float64 `toml:"to"`
	} `toml:"ambient"`
	Tries int    `toml:"tries"`
	Fault string `toml:"fault"`
}

type recogniseDoc struct {
	Issuer    string   `toml:"issuer"`
	Site      string   `toml:"site"`
	Formats   []string `toml:"formats"`
	From      any      `toml:"from"`
	Until     any      `toml:"until"`
	Do        string   `toml:"do"`
	Call      string   `toml:"call"`
	Agreement string   `toml:"agreement"`
	Needs     string   `toml:"needs"`
	Map       []mapDoc `toml:"map"`
	Zh        string   `toml:"zh"`
	En        string   `toml:"en"`
}

type mapDoc struct {
	Grade string   `toml:"grade"`
	Class []string `toml:"class"`
	Here  string   `toml:"here"`
}

type secondDoc struct {
	ID       string   `toml:"id"`
	Formats  []string `toml:"formats"`
	With     []string `toml:"with"`
	From     any      `toml:"from"`
	Until    any      `toml:"until"`
	FreshFor string   `toml:"fresh_for"`
	Proven   bool     `toml:"same_holder_proven"`
	Zh       string   `toml:"zh"`
	En       string   `toml:"en"`
}

type riskDoc struct {
	File      bool     `toml:"file"`
	AsOf      any      `toml:"as_of"`
	Otherwise string   `toml:"otherwise"`
	High      []string `toml:"high"`
	Medium    []string `toml:"medium"`
	Low       []string `toml:"low"`
}

type publishedDoc struct {
	Country string   `toml:"country"`
	Purpose string   `toml:"purpose"`
	Formats []string `toml:"formats"`
	Call    string   `toml:"call"`
	From    any      `toml:"from"`
	Until   any      `toml:"until"`
}

type manualDoc struct {
	ID     string `toml:"id"`
	Zh     string `toml:"zh"`
	En     string `toml:"en"`
	Within string `toml:"within"`
	From   any    `toml:"from"`
	Until  any    `toml:"until"`
}

type ruleDoc struct {
	ID      string   `toml:"id"`
	Reason  string   `toml:"reason"`
	Call    string   `toml:"call"`
	When    string   `toml:"when"`
	Zh      string   `toml:"zh"`
	En      string   `toml:"en"`
	From    any      `toml:"from"`
	Until   any      `toml:"until"`
	Formats []string `toml:"formats"`
	Issuers []string `toml:"issuers"`
}

// decode fills into and collects what its grammar does not allow. The decoder stops at the
// first value of a wrong type; that line is taken out and the rest read again, so that the
// next fault is found in the same run.
func decode(body []byte, into any, f *faults) {
	lines := strings.Split(string(body), "\n")
	for range maxFaults {
		d := toml.NewDecoder(strings.NewReader(strings.Join(lines, "\n")))
		d.DisallowUnknownFields()
		// What an earlier round has filled in is read again over an empty document.
		reflect.ValueOf(into).Elem().SetZero()
		err := d.Decode(into)
		var unknown *toml.StrictMissingError
		var wrong *toml.DecodeError
		switch {
		case err == nil:
			return
		case errors.As(err, &unknown):
			for _, e := range unknown.Errors[:min(len(unknown.Errors), maxFaults)] {
				row, _ := e.Position()
				f.list = append(f.list, Fault{row, strings.Join(e.Key(), "."), "unknown name"})
			}
			return
		case errors.As(err, &wrong):
			row, _ := wrong.Position()
			f.list = append(f.list, Fault{row, strings.Join(wrong.Key(), "."), strings.TrimPrefix(wrong.Error(), "toml: ")})
			if row < 1 || row > len(lines) || lines[row-1] == "" {
				return
			}
			lines[row-1] = ""
		default:
			f.list = append(f.list, Fault{What: strings.TrimPrefix(err.Error(), "toml: ")})
			return
		}
	}
}

// open reads the outside of a signed document of this package. Where lines is nil there is
// nothing inside that could be checked.
func open(body []byte, into any) *faults {
	f := &faults{}
	if len(body) > maxDocument {
		f.list = append(f.list, Fault{What: fmt.Sprintf("%d bytes, at most %d", len(body), maxDocument)})
		return f
	}
	if plainText(body, f); len(f.list) > 0 {
		return f
	}
	if n := bytes.Count(body, []byte("[[")); n > maxTables {
		f.list = append(f.list, Fault{What: fmt.Sprintf("%d tables, at most %d", n, maxTables)})
		return f
	}
	var deep int
	if f.lines, deep = keyLines(body); deep > 0 {
		f.list = append(f.list, Fault{Line: deep, What: fmt.Sprintf("a name of more than %d parts", maxKeyParts)})
		return f
	}
	if f.lines == nil {
		// Behind an error of grammar nothing means what it says; the first one is enough.
		var wrong *toml.DecodeError
		if err := toml.Unmarshal(body, into); errors.As(err, &wrong) {
			row, _ := wrong.Position()
			f.list = append(f.list, Fault{Line: row, What: strings.TrimPrefix(wrong.Error(), "toml: ")})
		} else {
			f.list = append(f.list, Fault{What: fmt.Sprintf("no TOML: %v", err)})
		}
		return f
	}
	decode(body, into, f)
	f.unread = len(f.list)
	return f
}

// maxTables bounds rules, tests and rows together.
const maxTables = 8000
