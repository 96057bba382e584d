package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// says is a rule's line for people in both languages, cut at its placeholders.
type says struct {
	zh, en []piece
	reads  claims // what the placeholders tell of
}

// A piece is plain text, or a placeholder.
type piece struct {
	text string
	fill *placeholder
}

// A placeholder is a word in braces that a rule's text may hold. None of them names a
// person, and each belongs to the claims that it tells of.
type placeholder struct {
	name  string
	claim claims
	en    func(*person) string
	zh    func(*person) string // nil: as in English
	means string
}

func placeholders() []placeholder {
	return []placeholder{
		{"issuer", 0, func(p *person) string { return string(p.pass.Issuer) }, nil, "who issued the code"},
		{"agreement", 0, (*person).agreement, nil, "the agreement that applied"},
		{"grade", readColour, func(p *person) string { return p.pass.Grade.String() }, func(p *person) string { return gradeZh(p.pass.Grade) }, "colour as issued"},
		{"here", readColour, func(p *person) string { return p.here.String() }, func(p *person) string { return gradeZh(p.here) }, "colour as judged here"},
		{"was", readColour, func(p *person) string { return p.e.History.Grade.String() }, func(p *person) string { return gradeZh(p.e.History.Grade) }, "colour at the last visit"},
		{"since", readColour, func(p *person) string { return p.clock(p.pass.Since) }, nil, "when the colour last changed"},
		{"graded", readColour, func(p *person) string { return p.clock(p.e.History.Graded) }, nil, "when it was the colour of the last visit"},
		{"issued", 0, func(p *person) string { return p.clock(p.pass.Issued) }, nil, "when the code was made"},
		{"expires", 0, func(p *person) string { return p.clock(p.pass.Expires) }, nil, "when it ends"},
		{"age", 0, func(p *person) string { return p.ago(p.pass.Issued) }, func(p *person) string { return zhUnits(p.ago(p.pass.Issued)) }, "how old the code is"},
		{"seen", readSeen, func(p *person) string { return p.ago(p.e.History.Seen) }, func(p *person) string { return zhUnits(p.ago(p.e.History.Seen)) }, "how long ago the code was shown"},
		{"seen_at", readSeen, func(p *person) string { return p.e.History.SeenAt }, nil, "at which gate"},
		{"skin", readTemperature, func(p *person) string { return p.skin.estimate.String() }, nil, "the temperature"},
	}
}

// readSays cuts a line at its braces. What is in braces has to be a placeholder, and both
// languages have to hold the same ones.
func readSays(zh, en string) (s says, err error) {
	if (zh == "") != (en == "") {
		return says{}, fmt.Errorf("zh and en stand together or not at all")
	}
	all := placeholders()
	read := func(text string) (pieces []piece, names []string, err error) {
		for text != "" {
			plain, rest, found := strings.Cut(text, "{")
			if plain != "" {
				pieces = append(pieces, piece{text: plain})
			}
			if !found {
				break
			}
			name, after, closed := strings.Cut(rest, "}")
			at := slices.IndexFunc(all, func(p placeholder) bool { return p.name == name })
			if !closed || at < 0 {
				return nil, nil, fmt.Errorf("{%.20s} is no placeholder", name)
			}
			pieces, names, text = append(pieces, piece{fill: &all[at]}), append(names, name), after
			s.reads |= all[at].claim
		}
		slices.Sort(names)
		return pieces, slices.Compact(names), nil
	}
	var inZh, inEn []string
	if s.zh, inZh, err = read(zh); err != nil {
		return says{}, err
	}
	if s.en, inEn, err = read(en); err != nil {
		return says{}, err
	}
	switch {
	case !slices.Equal(inZh, inEn):
		return says{}, fmt.Errorf("zh has the placeholders %q, en %q", inZh, inEn)
	case len(zh) > maxLine || len(en) > maxLine:
		return says{}, fmt.Errorf("more than %d bytes is not one line of a screen", maxLine)
	case strings.ContainsRune(zh+en, '\n'):
		return says{}, fmt.Errorf("it is more than one line")
	}
	return s, nil
}

// says reads the words of a part of the document and holds them to the purpose lock.
func (p *Policy) says(key, zh, en string, f *faults) says {
	s, err := readSays(zh, en)
	if err != nil {
		f.at(key, "%v", err)
	}
	if locked := s.reads &^ p.purpose.reads; locked != 0 {
		f.at(key, "purpose lock: its words tell of %q, which purpose.reads does not name", locked.names())
	}
	return s
}

// maxLine bounds what a rule says: it has to fit a screen, and its English a row of the book.
const maxLine = 200

func (s says) words(p *person) gatehouse.Words {
	return gatehouse.Words{Zh: fill(s.zh, p, true), En: fill(s.en, p, false)}
}

func fill(pieces []piece, p *person, zh bool) string {
	if len(pieces) == 1 && pieces[0].fill == nil {
		return pieces[0].text
	}
	var b strings.Builder
	for _, piece := range pieces {
		switch {
		case piece.fill == nil:
			b.WriteString(piece.text)
		case zh && piece.fill.zh != nil:
			b.WriteString(piece.fill.zh(p))
		default:
			b.WriteString(piece.fill.en(p))
		}
	}
	return b.String()
}

func (p *person) agreement() string {
	if p.matched == nil {
		return ""
	}
	return p.matched.agreement
}

// clock writes a time as the site's people read it.
func (p *person) clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(p.policy.zone.Location).Format("2006-01-02 15:04")
}

func (p *person) ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return spell(p.e.At.Sub(t))
}

func zhUnits(s string) string {
	return strings.NewReplacer("min", "分钟", "s", "秒", "h", "小时", "d", "天").Replace(s)
}

func gradeZh(g gatehouse.Grade) string {
	switch g {
	case gatehouse.Green:
		return "绿码"
	case gatehouse.Yellow:
		return "黄码"
	case gatehouse.Red:
		return "红码"
	case gatehouse.Grey:
		return "灰码"
	}
	return ""
}
