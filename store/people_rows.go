package store

import (
	"time"

	"gatehouse"
)

// The rows are aliases of plain structs: sync/region/issuing declares the same and neither
// package knows the other. What each field means is written there.
type (
	// Person is who a record is about, and the colour that they have.
	Person = struct {
		ID       [16]byte
		Name     string
		Birth    string
		Last     int64
		Declared time.Time
		Normal   time.Time
		State    State
	}
	// State is one line of a person's history of colours.
	State = struct {
		N      int64
		Grade  gatehouse.Grade
		Class  gatehouse.Class
		Number int64
		Since  time.Time
		Until  time.Time
		Cause  int64
		Why    string
		At     time.Time
	}
	// Event is one fact of an indicator about one person.
	Event = struct {
		N         int64
		Indicator gatehouse.Class
		Kind      string
		At        time.Time
		Division  string
		Risk      int64
		Case      string
		Status    string
		Finding   string
		Skin      gatehouse.Temperature

		Source   string
		Operator string
		Ref      string
		Digest   [32]byte
		Recorded time.Time

		Policy    int64
		Rule      string
		Number    int64
		Grade     gatehouse.Grade
		Days      int64
		Until     time.Time
		Ended     time.Time
		Withdrawn time.Time
	}
	// Trip is one stay.
	Trip = struct {
		N        int64
		Division string
		In, Out  time.Time
		Risk     int64
		Ref      string
		Digest   [32]byte
		Recorded time.Time
	}
	// Declaration is what a person said of themselves.
	Declaration = struct {
		N         int64
		Symptoms  bool
		Contact   bool
		Place     bool
		Ref       string
		Digest    [32]byte
		At        time.Time
		Checked   time.Time
		CheckedBy string
	}
	// Correction asks that an event be withdrawn.
	Correction = struct {
		Person [16]byte
		N      int64
		Event  int64
		By     string
		Reason string
		Ref    string
		Digest [32]byte
		Filed  time.Time
		State  string
		Words  []Word
	}
	// Word is one officer's on a correction.
	Word = struct {
		By, Word, Note string
		At             time.Time
	}
	// Record is all of one person.
	Record = struct {
		Person       Person
		Events       []Event
		Trips        []Trip
		Declarations []Declaration
		Corrections  []Correction
		History      []State
	}
	// Change is what is written about one person at once.
	Change = struct {
		At           time.Time
		Person       Person
		Events       []Event
		Trips        []Trip
		Declarations []Declaration
		Corrections  []Correction
		States       []State
		Revoke       string
		Audit        []Entry
	}
	// Code is one that was given out.
	Code = struct {
		ID      [12]byte
		Person  [16]byte
		State   int64
		Issued  time.Time
		Expires time.Time
		Tag     [8]byte
		Day     string
	}
	// Converted is a code given for a foreign one.
	Converted = struct {
		ID      [12]byte
		Issuer  gatehouse.Issuer
		Foreign string
		Issued  time.Time
		Expires time.Time
	}
	// Revocation takes one code back.
	Revocation = struct {
		N       int64
		ID      [12]byte
		At      time.Time
		Expires time.Time
		Why     string
	}
	// Entry is one line of the audit trail.
	Entry = struct {
		Seq    int64
		At     time.Time
		Who    string
		Role   string
		What   string
		About  string
		Why    string
		Detail string
		Hash   [32]byte
	}
	// Alarm says that one cause brought more colours than it uses to.
	Alarm = struct {
		ID        int64
		Of        string
		Name      string
		From      time.Time
		At        time.Time
		Count     int64
		Expected  int64
		Cleared   time.Time
		ClearedBy string
		Note      string
	}
	// Bad is one line of a source that was not taken.
	Bad = struct {
		Source, File string
		Line         int64
		Why          string
		At           time.Time
	}
	// Document is one version of the rules.
	Document = struct {
		Version int64
		Text    string
		Adopted time.Time
	}
	// Gone counts what a sweep erased.
	Gone = struct {
		Events, Trips, Declarations, Corrections, States, Codes, Tags, Days, Persons int64
		Digest                                                                       [32]byte
	}
	// Horizon says what a sweep erases.
	Horizon = struct {
		Events, Declarations, Codes, Persons, Bad time.Time
		Day                                       string
		Everything                                bool
	}
)
