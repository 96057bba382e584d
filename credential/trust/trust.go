// Package trust keeps what a nation and its regions signed: whose keys to believe, by which
// rules to judge, which codes were taken back.
//
// It is one repository after The Update Framework (TUF, specification 1.0). The nation's root
// says whose signatures count for what; its targets role names the regions and their keys,
// and vouches for nothing else. A region's own role signs the files below region/<id>/ and no
// others. The role firmware signs what boards run.
//
// The people who sign work on a plain folder, a Desk. A gate holds a Cache, and adopts what a
// Source brings: a stick, or the region's server. What it adopted it keeps, however old it
// grows: the age of trust is evidence for a verdict, not a reason to forget.
//
// docs/trust.md is exact enough to write either side anew.
package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"gatehouse"
)

// FirmwareRole is the name of the role for firmware/*. No region can have it: theirs begin
// with a country in capitals.
const FirmwareRole = "firmware"

// The files that a region may sign. Keys is a credential.TrustList in JSON; what the others
// say is their readers' business.
const (
	Keys        = "keys"
	Policy      = "policy"
	Revocations = "revocations"
	Risk        = "risk"
	Emergency   = "emergency"  // a policy that is signed ahead
	Activation  = "activation" // three lines that bring it into force
	Published   = "rules"      // what other states publish for travel certificates, and their value sets
	Directory   = "directory"  // the region's entry: issuers, recognition, where to complain
)

// Names lists the files of a region, in the order in which they are shown.
func Names() []string {
	return []string{Keys, Policy, Revocations, Risk, Emergency, Activation, Published, Directory}
}

// Bounds of everything that is read. A repository of the largest nation stays well below.
const (
	maxRoot      = 64 << 10
	maxTimestamp = 16 << 10
	maxSnapshot  = 2 << 20
	maxNational  = 8 << 20  // the targets role: about 1.5 KB a region
	maxRole      = 64 << 10 // a region's own role
	maxFirmware  = 256 << 10
	maxRegions   = 4_000
	maxRoots     = 1_000 // in one chain
	maxTotal     = 512 << 20
	maxHeld      = 16 << 20 // in memory at once, while a repository is read
	maxImage     = 2 << 30  // a firmware image: named here, never read here
)

// maxTarget bounds a region's file by its name; zero is a name that no region has.
func maxTarget(name string) int64 {
	switch name {
	case Keys:
		return 4 << 20
	case Policy, Emergency, Directory:
		return 1 << 20
	case Activation:
		return 16 << 10
	case Published:
		return 8 << 20
	case Revocations:
		return 96 << 20 // ten million codes and a year of changes
	case Risk:
		return 16 << 20
	}
	return 0
}

// maxMetadata bounds a role's metadata.
func maxMetadata(role string) int64 {
	switch role {
	case metadata.ROOT:
		return maxRoot
	case metadata.TIMESTAMP:
		return maxTimestamp
	case metadata.SNAPSHOT:
		return maxSnapshot
	case metadata.TARGETS:
		return maxNational
	case FirmwareRole:
		return maxFirmware
	}
	return maxRole
}

const (
	// ahead is how far the issue of metadata may lie ahead of a trusted clock. What comes
	// from further ahead would never grow old.
	ahead = 24 * time.Hour

	// farAhead is the same where the clock is not trusted and may be as far behind as the
	// board lay in a drawer. It bounds how far one stick can move the floor of time.
	farAhead = 366 * 24 * time.Hour

	issuedField = "issued" // in the signed part of all metadata: RFC 3339, UTC, whole seconds
)

// Any role but the timestamp stands under its version, so that a new one never lies in the
// way of somebody who reads the old one (TUF: consistent snapshots).
func metadataPath(role string, version int64) string {
	if role == metadata.TIMESTAMP {
		return "timestamp.json"
	}
	return strconv.FormatInt(version, 10) + "." + role + ".json"
}

// targetPath is where a file lies whose name in the metadata is target:
// region/DE/keys lies at targets/region/DE/<sha256>.keys.
func targetPath(target string, sum []byte) string {
	dir, name := path.Split(target)
	return "targets/" + dir + hex.EncodeToString(sum) + "." + name
}

// pathOf is the pattern of all that a delegated role may sign.
func pathOf(role string) string {
	if role == FirmwareRole {
		return "firmware/*"
	}
	return "region/" + role + "/*"
}

// isRegion holds region names to the form of an issuer, which is also safe as a file's name:
// "DE", "CN-33", "CN-330100".
func isRegion(s string) bool {
	country, division, divided := strings.Cut(s, "-")
	return len(country) == 2 && strings.Trim(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" &&
		(!divided || len(division) >= 2 && len(division) <= 6 && len(division)%2 == 0 &&
			strings.Trim(division, "0123456789") == "")
}

func isRole(s string) bool { return s == FirmwareRole || isRegion(s) }

// isFileName holds the names of firmware to what every file system and URL takes.
func isFileName(s string) bool {
	if s == "" || len(s) > 128 || s[0] == '.' || s[0] == '-' {
		return false
	}
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// A File is what metadata says of a file.
type File struct {
	Path   string // in the repository
	Length int64
	SHA256 [sha256.Size]byte
}

// fileOf takes a target's description. A length and a SHA-256 are what we insist on; other
// hashes beside them are not looked at.
func fileOf(target string, t *metadata.TargetFiles, max int64) (File, error) {
	sum := t.Hashes["sha256"]
	if len(sum) != sha256.Size {
		return File{}, fmt.Errorf("%s: no sha256 of it is signed", target)
	}
	if t.Length < 0 || t.Length > max {
		return File{}, fmt.Errorf("%s: %d bytes, at most %d", target, t.Length, max)
	}
	return File{Path: targetPath(target, sum), Length: t.Length, SHA256: [sha256.Size]byte(sum)}, nil
}

// metaFile takes what timestamp or snapshot say of a role's metadata.
func metaFile(role string, m *metadata.MetaFiles) (File, int64, error) {
	if m == nil || m.Version < 1 {
		return File{}, 0, fmt.Errorf("%s is not named in it", role)
	}
	sum := m.Hashes["sha256"]
	if len(sum) != sha256.Size {
		return File{}, 0, fmt.Errorf("no sha256 of %s is signed", role)
	}
	if max := maxMetadata(role); m.Length < 1 || m.Length > max {
		return File{}, 0, fmt.Errorf("%s: %d bytes, want 1 to %d", role, m.Length, max)
	}
	return File{Path: metadataPath(role, m.Version), Length: m.Length, SHA256: [sha256.Size]byte(sum)}, m.Version, nil
}

// A Region is what is in use of one region.
type Region struct {
	ID      gatehouse.Issuer
	Version int64     // of its role
	List    uint64    // version of its key list; 0 without one
	Count   int       // of its keys
	Issued  time.Time // when its people signed
	Expires time.Time // when they meant to have signed anew
	Files   []string  // names of what it signed, of those that a gate knows
	Fault   string    // why something older than what it signed last, or nothing, is in use
}
