package issuing

import (
	"context"
	"time"

	"gatehouse"
)

// The rows below are the words that desk and store share. They are aliases of plain structs,
// so that a store written without knowledge of this package has the same types; where the
// two drift apart, the program does not compile.

// PersonID is an HMAC of a document's kind and number under the region's secret.
type PersonID = [16]byte

// A Person is what the region keeps of who somebody is, and the colour that they have.
type Person = struct {
	ID       [16]byte
	Name     string // masked: "张*"
	Birth    string // the year
	Last     int64  // number of the newest row about this person: rows count within a person
	Declared time.Time
	Normal   time.Time // newest normal temperature; zero: none
	State    State     // the newest
}

// A State is one line of a person's history of colours.
type State = struct {
	N      int64
	Grade  gatehouse.Grade
	Class  gatehouse.Class // the indicators behind the colour
	Number int64           // of the rule, for the code's detail
	Since  time.Time       // when the colour last changed
	Until  time.Time       // when it changes by itself; zero: it does not
	Cause  int64           // the event, declaration or correction behind it; 0: nothing speaks against green
	Why    string          // what changed it: one of the Why words
	At     time.Time       // when this line was written
}

// An Event is one fact of an indicator about one person, graded once.
type Event = struct {
	N         int64
	Indicator gatehouse.Class // exactly one
	Kind      string
	At        time.Time // when its days begin to count
	Division  string    // place: where
	Risk      int64     // place: 1 low, 2 medium, 3 high, as of the stay
	Case      string    // contact: the region's reference of the case
	Status    string    // contact: confirmed, suspected, asymptomatic
	Finding   string    // health: what was found, by whom; the reference of a laboratory
	Skin      gatehouse.Temperature

	Source   string // who brought it: "folder:cdc", "gate:hall-east", "declaration", "operator"
	Operator string // who entered it by hand; empty for programs
	Ref      string // the source's own reference, once per person
	Digest   [32]byte
	Recorded time.Time

	Policy    int64 // version of the rules that graded it
	Rule      string
	Number    int64
	Grade     gatehouse.Grade // NoGrade when no rule speaks of such events
	Days      int64
	Until     time.Time // when the day counter runs out
	Ended     time.Time // before its time: a normal temperature
	Withdrawn time.Time // by a correction
}

// A Trip is one stay that a person declared.
type Trip = struct {
	N        int64
	Division string
	In, Out  time.Time
	Risk     int64 // as the rules then saw the division
	Ref      string
	Digest   [32]byte
	Recorded time.Time
}

// A Declaration is what a person said of themselves.
type Declaration = struct {
	N         int64
	Symptoms  bool
	Contact   bool // says that they met a case
	Place     bool // says that they were in a place of high risk
	Ref       string
	Digest    [32]byte
	At        time.Time
	Checked   time.Time // zero: it waits for an officer
	CheckedBy string
}

// A Correction asks that an event be withdrawn.
type Correction = struct {
	Person [16]byte
	N      int64
	Event  int64
	By     string // an operator's or program's name
	Reason string
	Ref    string
	Digest [32]byte
	Filed  time.Time
	State  string // pending, approved, refused
	Words  []Word
}

// A Word is one officer's on a correction: approve or refuse.
type Word = struct {
	By, Word, Note string
	At             time.Time
}

// A Record is all that the region keeps of one person. Lists are in the order of their rows.
type Record = struct {
	Person       Person
	Events       []Event
	Trips        []Trip
	Declarations []Declaration
	Corrections  []Correction
	History      []State
}

// A Change is what is written about one person, all or nothing. Rows whose N is on record
// are replaced where they may be; others are new.
type Change = struct {
	At           time.Time
	Person       Person
	Events       []Event
	Trips        []Trip
	Declarations []Declaration
	Corrections  []Correction
	States       []State
	Revoke       string // why the codes in force are taken back; empty: they are not
	Audit        []Entry
}

// A Code is one that was given out. Its text is not kept.
type Code = struct {
	ID      [12]byte
	Person  [16]byte
	State   int64 // N of the state that it shows
	Issued  time.Time
	Expires time.Time
	Tag     [8]byte // of the holder under the key of Day
	Day     string  // "2026-05-01"
}

// A Converted is a code given for a foreign one.
type Converted = struct {
	ID      [12]byte
	Issuer  gatehouse.Issuer
	Foreign string // tag of the foreign code's id
	Issued  time.Time
	Expires time.Time
}

// A Revocation takes one code back.
type Revocation = struct {
	N       int64
	ID      [12]byte
	At      time.Time
	Expires time.Time // of the code: the entry is of no use afterwards
	Why     string
}

// An Entry is one line of the audit trail.
type Entry = struct {
	Seq    int64
	At     time.Time
	Who    string
	Role   string
	What   string
	About  string // a person's id in hex, an alarm, a version of the rules
	Why    string // the purpose
	Detail string
	Hash   [32]byte // over the hash before and this line
}

// An Alarm says that one cause brought more colours than it uses to.
type Alarm = struct {
	ID        int64
	Of        string // "rule", "source" or "operator"
	Name      string // of it
	From      time.Time
	At        time.Time
	Count     int64
	Expected  int64 // in hundredths
	Cleared   time.Time
	ClearedBy string
	Note      string
}

// A Bad is one line of a source that was not taken.
type Bad = struct {
	Source, File string
	Line         int64
	Why          string
	At           time.Time
}

// A Document is the text of one version of the rules.
type Document = struct {
	Version int64
	Text    string
	Adopted time.Time
}

// Gone counts what a sweep erased; Digest is the SHA-256 of the references of the rows.
type Gone = struct {
	Events, Trips, Declarations, Corrections, States, Codes, Tags, Days, Persons int64
	Digest                                                                       [32]byte
}

// A Horizon says what a sweep erases: what ended before these times. Everything erases all
// that concerns health, and who people are.
type Horizon = struct {
	Events, Declarations, Codes, Persons, Bad time.Time
	Day                                       string // days before it
	Everything                                bool
}

// A Store keeps what a desk knows. What its methods return has survived a power cut.
type Store interface {
	// Record gives all of one person; found is false for somebody who is not known.
	Record(ctx context.Context, id PersonID) (r Record, found bool, err error)
	// Glance is the quick part of it that a code needs: trips and temperatures since a time.
	Glance(ctx context.Context, id PersonID, since time.Time) (p Person, trips []Trip, fevers []Event, found bool, err error)
	// Change reads a record, asks decide what to change, and writes that and the audit
	// entries in one transaction that nobody else's comes between. An error of decide is
	// returned as it is, and nothing is written.
	Change(ctx context.Context, id PersonID, decide func(Record, bool) (Change, error)) error
	// Tagged finds the person whose codes carried the tag.
	Tagged(ctx context.Context, tag [8]byte) (id PersonID, found bool, err error)

	// Issue writes a code down before it is handed out. Of an id that was given before, kept
	// is the row that stands; fresh is false when the person's state is not c.State any more.
	Issue(ctx context.Context, c Code) (kept Code, fresh bool, err error)
	Convert(ctx context.Context, c Converted) (kept Converted, err error)
	Revocations(ctx context.Context, after int64, limit int) ([]Revocation, error)
	Revoked(ctx context.Context, id [12]byte) (bool, error)
	// DayKey gives the day's key, and makes it from fresh when there is none.
	DayKey(ctx context.Context, day string, fresh []byte) ([]byte, error)

	Adopt(ctx context.Context, d Document, e Entry) error
	Document(ctx context.Context, version int64) (Document, error)

	Pending(ctx context.Context, limit int) ([]Correction, error)
	Unchecked(ctx context.Context, limit int) ([]PersonID, error)

	// Tally counts the colours that came of one rule, source or operator within a span, in
	// slots of ten minutes, and tells when the first of all came.
	Tally(ctx context.Context, of, name string, from, to time.Time) (n int64, first time.Time, err error)
	Raise(ctx context.Context, a Alarm, e Entry) (raised bool, err error)
	Alarms(ctx context.Context, limit int) ([]Alarm, error)
	// Clear closes an open alarm unless one of its events was entered by who clears it.
	Clear(ctx context.Context, id int64, by, note string, e Entry) (cleared, own bool, err error)

	Audit(ctx context.Context, e ...Entry) error
	Trail(ctx context.Context, after int64, limit int) ([]Entry, error)
	Quarantine(ctx context.Context, bad []Bad) error
	Quarantined(ctx context.Context, limit int) ([]Bad, error)
	Sweep(ctx context.Context, h Horizon, entry func(Gone) Entry) (Gone, error)
}
