package trust

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// reason gives the library's answers our names.
func reason(err error) error {
	var unsigned *metadata.ErrUnsignedMetadata
	var expired *metadata.ErrExpiredMetadata
	var mismatch *metadata.ErrLengthOrHashMismatch
	switch {
	case errors.As(err, &unsigned):
		return fmt.Errorf("%w: %s", ErrUnsigned, unsigned.Msg)
	case errors.As(err, &expired):
		return fmt.Errorf("%w: %s", ErrExpired, expired.Msg)
	case errors.As(err, &mismatch):
		return fmt.Errorf("%w: %s", ErrMismatch, mismatch.Msg)
	}
	return err
}

// readMetadata decodes metadata before anybody vouched for it, and holds it to our form.
func readMetadata[T metadata.Roles](text []byte, limit int) (*metadata.Metadata[T], error) {
	if len(text) > limit {
		return nil, ErrTooLong
	}
	if err := strict(text); err != nil {
		return nil, err
	}
	m, err := new(metadata.Metadata[T]).FromBytes(text)
	if err != nil {
		return nil, err
	}
	if len(m.Signatures) > maxKeys {
		return nil, fmt.Errorf("%d signatures, at most %d", len(m.Signatures), maxKeys)
	}
	return m, nil
}

func issueOf(fields map[string]any) (time.Time, error) {
	text, _ := fields[issuedField].(string)
	at, err := time.Parse("2006-01-02T15:04:05Z", text)
	if err != nil {
		return at, errors.New("no time of issue in it")
	}
	return at, nil
}

func checkRoot(root *metadata.Metadata[metadata.RootType]) error {
	if !root.Signed.ConsistentSnapshot {
		return errors.New("consistent_snapshot is not set")
	}
	if err := checkKeys(root.Signed.Keys); err != nil {
		return err
	}
	for _, name := range metadata.TOP_LEVEL_ROLE_NAMES {
		role := root.Signed.Roles[name]
		if role == nil {
			return fmt.Errorf("no role %s", name)
		}
		if err := checkRole(name, role.KeyIDs, role.Threshold, root.Signed.Keys); err != nil {
			return err
		}
	}
	return nil
}

// checkNational holds the nation's own targets role to what it is for: it names who speaks for
// a region, and does not speak for one itself.
func checkNational(m *metadata.Metadata[metadata.TargetsType]) error {
	if len(m.Signed.Targets) > 0 {
		return errors.New("it signs files itself: those are the regions' business")
	}
	d := m.Signed.Delegations
	if d == nil {
		return nil
	}
	if d.SuccinctRoles != nil {
		return errors.New("succinct roles: each region has a role of its own")
	}
	if len(d.Roles) > maxRegions {
		return fmt.Errorf("%d roles, at most %d", len(d.Roles), maxRegions)
	}
	if err := checkKeys(d.Keys); err != nil {
		return err
	}
	seen := make(map[string]bool, len(d.Roles))
	for _, role := range d.Roles {
		switch {
		case !isRole(role.Name):
			return fmt.Errorf("role %.20q: want a region as CN-330100, or %s", role.Name, FirmwareRole)
		case seen[role.Name]:
			return fmt.Errorf("role %s stands there twice", role.Name)
		case !role.Terminating || !slices.Equal(role.Paths, []string{pathOf(role.Name)}) || len(role.PathHashPrefixes) > 0:
			return fmt.Errorf("role %s: want it terminating and for %s alone", role.Name, pathOf(role.Name))
		}
		seen[role.Name] = true
		if err := checkRole(role.Name, role.KeyIDs, role.Threshold, d.Keys); err != nil {
			return err
		}
	}
	return nil
}
