package main

import (
	"crypto"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential/trust"
)

// lookAt shows what a person is about to sign: every draft in which their key has a say, or
// that of one role. A draft that no gate would follow is an error, and not signed.
func lookAt(w io.Writer, d trust.Desk, role string, keys []crypto.Signer) error {
	report, err := d.Report()
	if err != nil {
		return err
	}
	set, err := publishedSet(d)
	if err != nil {
		fmt.Fprintf(w, "what is published cannot be used, and nothing is compared with it: %v\n", err)
	}
	for _, draft := range report.Drafts {
		says, err := hasSay(draft, keys)
		if err != nil {
			return err
		}
		if !says || role != "" && role != draft.Role {
			continue
		}
		fmt.Fprintf(w, "%s %d:\n", draft.Role, draft.Version)
		switch {
		case draft.Role == "targets":
			err = lookAtPeople(w, d, report)
		case draft.Role == trust.FirmwareRole:
			err = lookAtFirmware(w, filepath.Join(d.Dir, "drafts", draft.Role+".json"))
		case isRegionRole(draft.Role):
			err = lookAtRegion(w, filepath.Join(d.Dir, "drafts", draft.Role+".json"), gatehouse.Issuer(draft.Role), set, nil)
			if err == nil {
				err = maySpeakPolicy(d, draft.Role)
			}
		}
		if err != nil {
			return fmt.Errorf("the draft of %s: %w", draft.Role, err)
		}
	}
	return nil
}

// lookAtFirmware lists what boards would run, as those who built it can compare it.
func lookAtFirmware(w io.Writer, draft string) error {
	role, err := readRole(draft)
	for _, path := range slices.Sorted(maps.Keys(role.Signed.Targets)) {
		target := role.Signed.Targets[path]
		fmt.Fprintf(w, "  %s: %d bytes, sha256 %s\n", path, target.Length, target.Hashes.SHA256)
	}
	return err
}

// maySpeakPolicy holds a region that signs a policy to what gates ask of its people.
func maySpeakPolicy(d trust.Desk, role string) error {
	draft, err := readRole(filepath.Join(d.Dir, "drafts", role+".json"))
	if err != nil {
		return err
	}
	for path := range draft.Signed.Targets {
		if isRule(filepath.Base(path)) {
			return maySpeak(d, role)
		}
	}
	return nil
}

// isRule tells the files that decide on people.
func isRule(name string) bool {
	return name == trust.Policy || name == trust.Emergency || name == trust.Activation
}

func hasSay(draft trust.Draft, keys []crypto.Signer) (bool, error) {
	for _, key := range keys {
		id, err := trust.KeyID(key.Public())
		if err != nil {
			return false, err
		}
		for _, need := range draft.Needs {
			if slices.Contains(need.Signed, id) || slices.Contains(need.Waiting, id) {
				return true, nil
			}
		}
	}
	return false, nil
}

// lookAtPeople shows who would speak for what, where that changes.
func lookAtPeople(w io.Writer, d trust.Desk, report trust.Report) error {
	next, err := people(d)
	if err != nil {
		return err
	}
	was := map[string]string{}
	who := func(threshold int, keys []string) string {
		var names []string
		for _, id := range keys {
			names = append(names, report.Names.Of(id))
		}
		return fmt.Sprintf("%d of %s", threshold, strings.Join(names, ", "))
	}
	for _, r := range report.Roles {
		was[r.Role] = who(r.Threshold, r.Keys)
	}
	changed := 0
	for _, r := range next {
		if isRegionRole(r.Name) {
			if err := maySpeak(d, r.Name); err != nil {
				return err
			}
		}
		is := who(r.Threshold, r.Keys)
		if is == was[r.Name] {
			continue
		}
		changed++
		if was[r.Name] == "" {
			fmt.Fprintf(w, "  + %s: %s\n", r.Name, is)
			continue
		}
		fmt.Fprintf(w, "  ~ %s: %s, was %s\n", r.Name, is, was[r.Name])
	}
	if changed == 0 {
		fmt.Fprintf(w, "  %d roles, the people are the same\n", len(next))
	}
	return nil
}

// lookAtRegion shows the files that a draft of a region names, beside those that it has
// published, and refuses what no gate would take. brought are files by name for a draft that
// travels without its repository.
func lookAtRegion(w io.Writer, draft string, region gatehouse.Issuer, set *trust.Set, brought map[string]string) error {
	role, err := readRole(draft)
	if err != nil {
		return err
	}
	prefix := "region/" + string(region) + "/"
	var rules []byte
	if target, ok := role.Signed.Targets[prefix+trust.Policy]; ok {
		if file, err := fileOf(draft, prefix+trust.Policy, target.Hashes.SHA256, brought[trust.Policy]); err == nil {
			rules, _ = daemon.ReadFile(file, maxSmall) // what is wrong with it is said in its turn
		}
	}
	for _, path := range slices.Sorted(maps.Keys(role.Signed.Targets)) {
		name, own := strings.CutPrefix(path, prefix)
		if !own {
			return fmt.Errorf("it names %s, which is not %s's own", path, region)
		}
		target := role.Signed.Targets[path]
		file, err := fileOf(draft, path, target.Hashes.SHA256, brought[name])
		if errors.Is(err, fs.ErrNotExist) && !isRule(name) {
			fmt.Fprintf(w, "  %s: %d bytes, sha256 %.16s; its text is not here\n", name, target.Length, target.Hashes.SHA256)
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("its %s is not here, and nobody signs rules unread: bring it along, --file %s=FILE", name, name)
		}
		if err != nil {
			return err
		}
		old := publishedFile(set, region, name)
		if sum := sha256.Sum256(old); old != nil && hex.EncodeToString(sum[:]) == target.Hashes.SHA256 {
			fmt.Fprintf(w, "  %s: as it is published\n", name)
			continue
		}
		what, err := checkTarget(region, name, file, old, rules)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, line := range what.lines {
			fmt.Fprintf(w, "  %s: %s\n", name, line)
		}
	}
	for _, name := range trust.Names() {
		if _, stays := role.Signed.Targets[prefix+name]; !stays && publishedFile(set, region, name) != nil {
			fmt.Fprintf(w, "  %s: is taken out\n", name)
		}
	}
	return nil
}

// fileOf finds the file that a draft names, and holds it to its hash: beside the draft, in
// the repository that it lies in, or where somebody says.
func fileOf(draft, target, sum, brought string) (string, error) {
	dir, name := filepath.Split(filepath.FromSlash(target))
	places := []string{brought}
	if brought == "" {
		stored := filepath.Join("targets", dir, sum+"."+name)
		places = []string{filepath.Join(filepath.Dir(draft), "..", stored), filepath.Join(filepath.Dir(draft), stored)}
	}
	for _, place := range places {
		f, err := os.Open(place)
		if errors.Is(err, fs.ErrNotExist) && brought == "" {
			continue
		}
		if err != nil {
			return "", err
		}
		hash := sha256.New()
		_, err = io.Copy(hash, f)
		f.Close()
		if err == nil && hex.EncodeToString(hash.Sum(nil)) != sum {
			err = fmt.Errorf("%s is not the file that the draft names", place)
		}
		return place, err
	}
	return "", fs.ErrNotExist
}

// lookAtFile shows a draft that travels alone.
func lookAtFile(w io.Writer, draft string, brought map[string]string) error {
	role, err := readRole(draft)
	if err != nil {
		return err
	}
	for path := range role.Signed.Targets {
		region, _, ok := strings.Cut(strings.TrimPrefix(path, "region/"), "/")
		if ok && strings.HasPrefix(path, "region/") {
			var set *trust.Set
			if home := filepath.Dir(filepath.Dir(filepath.Clean(draft))); isFile(home, "timestamp.json") {
				if set, err = publishedSet(desk(home)); err != nil {
					fmt.Fprintf(w, "what is published cannot be used, and nothing is compared with it: %v\n", err)
				}
			}
			fmt.Fprintf(w, "%s %d:\n", region, role.Signed.Version)
			return lookAtRegion(w, draft, gatehouse.Issuer(region), set, brought)
		}
	}
	for _, r := range role.Signed.Delegations.Roles {
		fmt.Fprintf(w, "  %s: %d of %.8s\n", r.Name, r.Threshold, r.Keys)
	}
	return lookAtFirmware(w, draft)
}

// filesOf reads NAME=FILE, each name once.
func filesOf(args []string) (map[string]string, error) {
	files := map[string]string{}
	for _, arg := range args {
		name, file, ok := strings.Cut(arg, "=")
		if _, twice := files[name]; !ok || name == "" || twice {
			return nil, daemon.UsageError{Err: fmt.Errorf("%q: want NAME=FILE, each name once", arg)}
		}
		files[name] = file
	}
	return files, nil
}

// draftFiles checks the files of a region, says what they are and drafts them.
func draftFiles(w io.Writer, d trust.Desk, region string, files map[string]string, lifeDays int) error {
	if isRegionRole(region) && len(files) > 0 {
		set, err := publishedSet(d)
		if err != nil {
			fmt.Fprintf(w, "what is published cannot be used, and nothing is compared with it: %v\n", err)
		}
		rules := publishedFile(set, gatehouse.Issuer(region), trust.Policy)
		if files[trust.Policy] != "" {
			rules, _ = daemon.ReadFile(files[trust.Policy], maxSmall) // what is wrong with it is said in its turn
		}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if files[name] == "" || !slices.Contains(trust.Names(), name) {
				continue // taken out; or a name that the desk refuses
			}
			if isRule(name) {
				if err := maySpeak(d, region); err != nil {
					return err
				}
			}
			what, err := checkTarget(gatehouse.Issuer(region), name, files[name], publishedFile(set, gatehouse.Issuer(region), name), rules)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", name, region, err)
			}
			for _, line := range what.lines {
				fmt.Fprintf(w, "  %s: %s\n", name, line)
			}
		}
	}
	if err := d.Publish(region, files, days(lifeDays)); err != nil {
		return fmt.Errorf("publish %s: %w", region, err)
	}
	return nil
}
