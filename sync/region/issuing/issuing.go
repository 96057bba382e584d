// Package issuing is the part of a region that gives people their health codes and answers
// for every colour.
//
// It is modelled on the interfaces that public pages name for GB/T 38963-2020 (declare,
// query, make code, verify code) and adds the one that people missed: the correction of a
// wrong code. It does not conform to that standard, whose tables were not at hand.
//
// A colour is always the consequence of an event: of one of three indicators (place,
// contact, health), with evidence, a time at which its days begin to count, a source, and
// the rule that graded it on the day it came in. A later rule grades later events; nothing
// is graded twice, so no colour changes unless an event began, ended or was withdrawn.
//
// The number of a person's identity document is never stored. A [Desk] knows a person as an
// HMAC of it under the region's own key; gates know them by another HMAC under a key of the
// day, which is erased a few days later.
package issuing

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gatehouse"
)

// A Signer makes the text of a code out of what it shall say. The statement is a pass whose
// Code, unlike that of a read one, is the whole random id in hex; Format and KeyID are the
// signer's business. detail is the region's own number beside the reason class.
type Signer interface {
	Sign(statement gatehouse.Pass, detail int64) (text string, err error)
	KeyID() string // lower-case hex
}

// A Verifier tells what a text says, as proven by its signature. An answer about the code is
// a *gatehouse.Refusal; any other error is a breakdown.
type Verifier interface {
	Verify(text string, at time.Time) (gatehouse.Pass, error)
}

// A Desk is where codes are asked for, given, explained and corrected. All fields but Logger
// are needed. Its methods may be called at the same time.
type Desk struct {
	Store    Store
	Signer   Signer
	Verifier Verifier
	Secret   []byte           // 32 bytes; persons are found under it, and lost with it
	Now      func() time.Time // the region's clock
	Logger   *slog.Logger     // nil logs nothing

	mu    sync.RWMutex
	rules *Rules
	words map[int64]*Rules // documents of former versions that a page asked for
	days  map[string][]byte
}

// A Caller is who asks: a person with a role at the region, or a program.
type Caller struct {
	Name string
	Role Role
}

// Role is what a caller may do. The zero value may do nothing.
type Role string

// The roles of people, and of programs.
const (
	Viewer  Role = "viewer"  // looks up one person, for a purpose
	Officer Role = "officer" // a health officer: enters events, checks declarations, decides on corrections
	Auditor Role = "auditor" // reads the audit trail and clears alarms; sees no person's record

	App     Role = "app"     // the holders' own program: declares, asks and makes codes in their name
	Source  Role = "source"  // delivers events
	Builder Role = "builder" // fetches the revocations for the trust material
)

// Roles lists them all.
func Roles() []Role { return []Role{Viewer, Officer, Auditor, App, Source, Builder} }

// A No is an answer to a request, not a breakdown: what is wrong with it and what to do.
type No struct {
	Kind Kind
	What string // what is wrong; never who
	Do   string // what mends it
}

// Kind says which kind of no it is.
type Kind uint8

// The kinds of no.
const (
	Malformed Kind = iota // the request is not one that can be answered
	Forbidden             // not for this caller
	Missing               // there is no such thing
	Conflict              // it was so, or is decided, or changed meanwhile
	Unfit                 // well formed, and not acceptable
	Closed                // the region does not issue now
)

func (n *No) Error() string { return n.What + ": " + n.Do }

func no(kind Kind, do, what string, args ...any) error {
	return &No{Kind: kind, What: fmt.Sprintf(what, args...), Do: do}
}

// Rules gives the rules in force; nil before any were adopted.
func (d *Desk) Rules() *Rules {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.rules
}

// open gives the rules in force, unless the region is dormant.
func (d *Desk) open() (*Rules, error) {
	r := d.Rules()
	if r == nil {
		return nil, no(Closed, "ask the region", "no rules are in force")
	}
	if r.Dormant {
		return nil, no(Closed, "no code is needed here now", "health codes are dormant")
	}
	return r, nil
}

// Adopt puts a rules document into force. A lower version is refused, and so is another text
// under a version that was in force: what graded an event must stay readable.
func (d *Desk) Adopt(ctx context.Context, text []byte) error {
	r, err := ParseRules(text)
	if err != nil {
		return err
	}
	now := d.Now()
	entry := Entry{At: now, Who: "region", What: "rules adopted", About: fmt.Sprintf("version %d", r.Version), Detail: r.Digest()}
	if err := d.Store.Adopt(ctx, Document{Version: r.Version, Text: string(text), Adopted: now}, entry); err != nil {
		return fmt.Errorf("adopt rules: %w", err)
	}
	d.mu.Lock()
	d.rules = r
	d.mu.Unlock()
	return nil
}

// rulesOf gives the document that graded an event, nil when it cannot be had any more.
func (d *Desk) rulesOf(ctx context.Context, version int64) *Rules {
	if r := d.Rules(); r != nil && r.Version == version {
		return r
	}
	d.mu.RLock()
	r := d.words[version]
	d.mu.RUnlock()
	if r != nil {
		return r
	}
	doc, err := d.Store.Document(ctx, version)
	if err != nil {
		return nil
	}
	if r, err = ParseRules([]byte(doc.Text)); err != nil {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.words == nil {
		d.words = map[int64]*Rules{}
	}
	d.words[version] = r
	return r
}

func (d *Desk) log(level slog.Level, msg string, args ...any) {
	if d.Logger != nil {
		d.Logger.Log(context.Background(), level, msg, args...)
	}
}
