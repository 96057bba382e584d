package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"gatehouse"
	"gatehouse/gate/console"
)

// A passageLine is a passage as programs read it, from gated's log and from gatectl alike.
type passageLine struct {
	Seq     gatehouse.Seq         `json:"seq"`
	Call    string                `json:"call"`
	Reason  gatehouse.Reason      `json:"reason"`
	Detail  string                `json:"detail"`
	Issuer  gatehouse.Issuer      `json:"issuer"`
	Grade   string                `json:"grade"`
	Skin    gatehouse.Temperature `json:"skin"` // thousandths of a degree Celsius
	Quality string                `json:"quality"`
	TookMS  float64               `json:"took_ms"`
	Queue   uint64                `json:"queue"`
	Amends  gatehouse.Seq         `json:"amends,omitempty"`
	Guard   string                `json:"guard,omitempty"` // from the book only
	Note    string                `json:"note,omitempty"`
	Rule    string                `json:"rule,omitempty"`
	Trust   string                `json:"trust,omitempty"` // "fresh", "stale", "too old"
	Here    string                `json:"here,omitempty"`  // the colour as judged here
	Agreed  string                `json:"agreement,omitempty"`
	Second  string                `json:"second,omitempty"` // format of the second code
	Without string                `json:"without,omitempty"`
	At      time.Time             `json:"time"`
	Who     string                `json:"who,omitempty"` // the kind of person; in the demo only
}

func lineOf(p gatehouse.Passage) passageLine {
	l := passageLine{Seq: p.Seq, Call: p.Verdict.Call.String(), Reason: p.Verdict.Reason, Detail: p.Verdict.Detail,
		Issuer: p.Issuer, Grade: p.Grade.String(), Skin: p.Skin.Skin, Quality: p.Skin.Quality.String(),
		TookMS: float64(p.Took.Microseconds()) / 1000, Amends: p.Amends, Guard: p.Guard, Note: p.Note, At: p.At,
		Rule: p.Verdict.Rule, Here: p.Verdict.Here.String(), Agreed: p.Verdict.Agreement, Second: p.Second, Without: p.Without.String()}
	if p.Verdict.Policy != "" {
		l.Trust = p.Verdict.Trust.String() // nobody's rows but a judge's speak of it
	}
	return l
}

// printPassage writes the line that a person likes to read: the call first, then why, then
// the particulars.
func printPassage(w io.Writer, l passageLine, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(l)
	}
	skin := "   -   "
	if l.Quality == gatehouse.Steady.String() {
		skin = l.Skin.String()
	}
	more := ""
	if l.Who != "" {
		more = "  [" + l.Who + "]"
	}
	if l.Queue > 1 {
		more += fmt.Sprintf("  (%d wait for the link)", l.Queue)
	}
	_, err := fmt.Fprintf(w, "%s %4d  %s  %-10s %-6s %s %4.0f ms  %s%s\n", l.At.Local().Format("15:04:05"),
		l.Seq, callMark(w, l.Call), orDash(string(l.Issuer)), orDash(l.Grade), skin, l.TookMS, l.why(), more)
	return err
}

// why is the reason in words, and for a guard's decision whose it was, on what and why.
func (l passageLine) why() string {
	if l.Reason == gatehouse.ReasonNone {
		return "may pass"
	}
	skin := ""
	if l.Quality == gatehouse.Steady.String() {
		skin = l.Skin.String()
	}
	why := string(l.Reason) + " "
	if l.Rule != "" && l.Detail != "" {
		why += l.Detail // the policy's own words
	} else {
		why += console.Words(console.English, l.Reason, "grade", l.Grade, "skin", skin)
	}
	if l.Amends != 0 {
		why += fmt.Sprintf(", on #%d", l.Amends)
	}
	if l.Guard != "" {
		why += fmt.Sprintf(", %s: %s", l.Guard, l.Note)
	}
	return why
}

// callMark is the call as a coloured word on a terminal, as a plain one elsewhere.
func callMark(w io.Writer, call string) string {
	word, colour := "ASK  ", "\x1b[30;43m"
	switch call {
	case "admit":
		word, colour = "PASS ", "\x1b[97;42m"
	case "deny":
		word, colour = "STOP ", "\x1b[97;41m"
	case "hint":
		word, colour = "SHOW ", "\x1b[97;44m"
	}
	if !terminal(w) {
		return word
	}
	return colour + " " + word + "\x1b[0m"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
