package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"gatehouse"
	"gatehouse/credential"
)

type targetsRole = metadata.Metadata[metadata.TargetsType]

// role reads one delegated role. Its error refuses the whole repository: the tree is not what
// its snapshot says. What the role's own people did wrong is noted as the region's fault.
func (l *loader) role(role metadata.DelegatedRole) error {
	id := gatehouse.Issuer(role.Name)
	as := &metadata.Role{KeyIDs: role.KeyIDs, Threshold: role.Threshold}
	named, published := l.tm.Snapshot.Signed.Meta[role.Name+".json"]
	if !published {
		// It has not signed anything yet; one that has does not vanish.
		if _, known := l.floors.Marks[role.Name]; known {
			return fmt.Errorf("the snapshot names it no more: %w", ErrOlder)
		}
		if role.Name != FirmwareRole {
			l.set.regions[id] = &region{Region: Region{ID: id, Fault: "has not signed anything yet"}}
		}
		return nil
	}
	file, version, err := metaFile(role.Name, named)
	if err != nil {
		return err
	}
	if other, decided := l.record.Regions[role.Name]; decided {
		return l.decided(role, other)
	}
	if err := l.floors.check(role.Name, markOf(uint64(version), file.SHA256, role.KeyIDs), role.Threshold); err != nil {
		return err
	}
	if same := l.same(role, file); same != nil {
		return l.use(same, as)
	}
	m, err := l.signedRole(role, file, version)
	if err != nil {
		return err
	}
	var fault slip
	if role.Name == FirmwareRole {
		if err = l.firmware(m, file, as); errors.As(err, &fault) {
			l.set.Unusable = string(fault)
			l.record.note(role.Name, exception{Fault: string(fault)})
			return nil
		}
		return err
	}
	r, err := l.judge(id, m, file, as)
	if err == nil {
		err = l.usable(r)
	}
	if errors.As(err, &fault) {
		return l.keep(role, string(fault))
	}
	if err != nil {
		return err
	}
	return l.use(r, as)
}

// usable asks of what a region signed anew whether the gate can live by it. Keys were read
// already; revocations are too long to hold, and are read where they lie.
func (l *loader) usable(r *region) error {
	if l.check == nil {
		return nil
	}
	for _, name := range r.Files {
		file := r.files[name]
		if name == Keys || name == Revocations || l.had(r.ID, name, file) {
			continue
		}
		text, err := l.fetch(file)
		if err != nil {
			return err
		}
		if err := l.check(r.ID, name, text); err != nil {
			return slip(name + ": " + err.Error())
		}
	}
	return nil
}

func (l *loader) had(id gatehouse.Issuer, name string, file File) bool {
	return l.old != nil && l.old.regions[id] != nil && l.old.regions[id].files[name] == file
}

// same is the region as it is in use, where neither its role nor those who speak for it changed.
func (l *loader) same(role metadata.DelegatedRole, file File) *region {
	if l.old == nil {
		return nil
	}
	r, was := l.old.regions[gatehouse.Issuer(role.Name)], l.old.marks[role.Name]
	if r == nil || r.role != file || r.Fault != "" || l.old.thresholds[role.Name] != role.Threshold ||
		!slices.Equal(was.Keys, slices.Sorted(slices.Values(role.KeyIDs))) {
		return nil
	}
	return r
}

// signedRole reads the metadata of a delegated role that enough of its people signed.
func (l *loader) signedRole(role metadata.DelegatedRole, file File, version int64) (*targetsRole, error) {
	text, err := l.fetch(file)
	if err != nil {
		return nil, err
	}
	m, err := readMetadata[metadata.TargetsType](text, int(maxMetadata(role.Name)))
	if err != nil {
		return nil, err
	}
	as := &metadata.Role{KeyIDs: role.KeyIDs, Threshold: role.Threshold}
	if err := signed(text, m.Signatures, as, l.set.national.role.Signed.Delegations.Keys); err != nil {
		return nil, err
	}
	if m.Signed.Version != version {
		return nil, fmt.Errorf("it is version %d, and not %d: %w", m.Signed.Version, version, ErrMismatch)
	}
	return m, nil
}

// A slip is what a region did wrong under its own valid signature.
type slip string

func (s slip) Error() string { return string(s) }

// judge looks at what a region signed: a slip, or an error of the source.
func (l *loader) judge(id gatehouse.Issuer, m *targetsRole, file File, role *metadata.Role) (*region, error) {
	issued, err := issueOf(m.Signed.UnrecognizedFields)
	r := &region{
		Region: Region{ID: id, Version: m.Signed.Version, Issued: issued, Expires: m.Signed.Expires},
		role:   file, files: map[string]File{},
	}
	switch {
	case err != nil:
		return nil, slip(err.Error())
	case issued.After(r.Expires):
		return nil, slip("issued after its own end")
	case !l.limit.IsZero() && issued.After(l.limit):
		return nil, slip("issued " + issued.Format(time.RFC3339) + ", which is yet to come")
	case m.Signed.Delegations != nil:
		return nil, slip("hands its word on to others")
	}
	// Who brings a role that has ended may be holding a newer one back. One that is in use
	// already stays, since the snapshot says that there is no newer one.
	same := l.old != nil && l.old.regions[id] != nil && l.old.regions[id].role == file
	if !l.at.IsZero() && l.at.After(r.Expires) && !same {
		return nil, slip("ended " + r.Expires.Format(time.RFC3339) + " and was not signed anew")
	}
	for target, t := range m.Signed.Targets {
		name, own := strings.CutPrefix(target, "region/"+string(id)+"/")
		if !own {
			return nil, slip(fmt.Sprintf("signs %.60q, which is not its own", target))
		}
		max := maxTarget(name)
		if max == 0 {
			continue // a newer gate may know what it is
		}
		f, err := fileOf(target, t, max)
		if err != nil {
			return nil, slip(err.Error())
		}
		r.files[name] = f
	}
	for _, name := range Names() {
		if _, ok := r.files[name]; ok {
			r.Files = append(r.Files, name)
		}
	}
	return r, l.keyList(r, role)
}

// keyList reads the keys whose signatures the region vouches for. One that cannot be used as a
// whole is a slip: a list with a fault must not look like a list without that key.
func (l *loader) keyList(r *region, role *metadata.Role) error {
	file, ok := r.files[Keys]
	if !ok {
		if _, had := l.floors.Marks[listOf(r.ID)]; had {
			return slip("has no key list any more: an empty one takes the keys back")
		}
		return nil
	}
	if l.old != nil {
		// Most regions have not changed their keys since: one list serves both sets.
		if same := l.old.regions[r.ID]; same != nil && same.files[Keys] == file {
			r.list, r.ids = same.list, same.ids
		}
	}
	if r.list == nil {
		text, err := l.fetch(file)
		if err != nil {
			return err
		}
		if r.list, r.ids, err = readList(r.ID, text); err != nil {
			return slip("key list: " + err.Error())
		}
	}
	r.List, r.Count = r.list.Version, r.list.Len()
	if err := l.floors.check(listOf(r.ID), markOf(r.list.Version, file.SHA256, role.KeyIDs), role.Threshold); err != nil {
		return slip("key list: " + err.Error())
	}
	if !l.limit.IsZero() && r.list.Issued.After(l.limit) {
		return slip("key list: issued " + r.list.Issued.UTC().Format(time.RFC3339) + ", which is yet to come")
	}
	return nil
}

// listOf is under which name the floors keep a region's key list.
func listOf(id gatehouse.Issuer) string { return string(id) + "/" + Keys }

// listedKey is what is read of a key beside the list itself.
type listedKey struct {
	KID string `json:"kid"`
}

// readList reads a key list and holds it to its region: nobody vouches for keys of others.
func readList(id gatehouse.Issuer, text []byte) (*credential.Trust, []string, error) {
	list, err := credential.ReadTrust(text)
	if err != nil {
		return nil, nil, err
	}
	if list.Region != id {
		return nil, nil, fmt.Errorf("it is %s's", list.Region)
	}
	var ids struct {
		Keys []listedKey `json:"keys"`
	}
	if err := json.Unmarshal(text, &ids); err != nil {
		return nil, nil, err
	}
	kids := kidsOf(ids.Keys)
	for _, kid := range kids {
		for _, key := range list.Keys([]byte(kid)) {
			if !key.Issuer.Within(id) {
				return nil, nil, fmt.Errorf("names keys of %s, which is not within %s", key.Issuer, id)
			}
		}
	}
	return list, kids, nil
}

// use puts a region into the set.
func (l *loader) use(r *region, role *metadata.Role) error {
	if err := l.mark(string(r.ID), r.Version, r.role.SHA256, role); err != nil {
		return err
	}
	for _, file := range r.files {
		l.total += file.Length
	}
	if r.list != nil {
		name := listOf(r.ID)
		l.set.marks[name] = markOf(r.list.Version, r.files[Keys].SHA256, role.KeyIDs)
		l.set.thresholds[name] = role.Threshold
	}
	l.set.regions[r.ID] = r
	return nil
}

// keep leaves the region's last good state in use where it has one that its people of today
// vouch for, and leaves the region out otherwise. Either is written down for the slot.
func (l *loader) keep(role metadata.DelegatedRole, fault string) error {
	id := gatehouse.Issuer(role.Name)
	out := exception{Fault: fault}
	if l.old != nil && l.old.regions[id] != nil && l.old.regions[id].Version > 0 {
		old := l.old.regions[id]
		was := exception{Version: old.Version, Length: old.role.Length, SHA256: hex.EncodeToString(old.role.SHA256[:]), Fault: fault}
		if err := l.decided(role, was); err == nil {
			l.record.note(role.Name, was)
			return nil
		}
	}
	l.record.note(role.Name, out)
	return l.decided(role, out)
}

// decided takes a region as it was decided when the set was adopted.
func (l *loader) decided(role metadata.DelegatedRole, e exception) error {
	id := gatehouse.Issuer(role.Name)
	if role.Name == FirmwareRole {
		l.set.Unusable = e.Fault
		return nil
	}
	if e.Version == 0 {
		l.set.regions[id] = &region{Region: Region{ID: id, Fault: e.Fault}}
		return nil
	}
	sum, err := hex.DecodeString(e.SHA256)
	if err != nil || len(sum) != sha256.Size || e.Length < 1 || e.Length > maxRole {
		return fmt.Errorf("the record of version %d is damaged", e.Version)
	}
	file := File{Path: metadataPath(role.Name, e.Version), Length: e.Length, SHA256: [sha256.Size]byte(sum)}
	m, err := l.signedRole(role, file, e.Version)
	if err != nil {
		return err
	}
	as := &metadata.Role{KeyIDs: role.KeyIDs, Threshold: role.Threshold}
	r, err := l.judge(id, m, file, as)
	if err != nil {
		return err
	}
	r.Fault = e.Fault
	return l.use(r, as)
}

// firmware takes the names of what boards may run. Images are not read here. A slip of its
// people leaves boards with what they run.
func (l *loader) firmware(m *targetsRole, file File, role *metadata.Role) error {
	if err := l.issued(FirmwareRole, m.Signed.UnrecognizedFields, m.Signed.Expires); err != nil {
		return slip(err.Error())
	}
	if m.Signed.Delegations != nil {
		return slip("hands its word on to others")
	}
	files := map[string]File{}
	for target, t := range m.Signed.Targets {
		name, own := strings.CutPrefix(target, "firmware/")
		if !own || !isFileName(name) {
			return slip(fmt.Sprintf("signs %.60q, which is not its own", target))
		}
		f, err := fileOf(target, t, maxImage)
		if err != nil {
			return slip(err.Error())
		}
		files[name] = f
	}
	l.set.firmware, l.set.firmwareRole = files, file
	return l.mark(FirmwareRole, m.Signed.Version, file.SHA256, role)
}
