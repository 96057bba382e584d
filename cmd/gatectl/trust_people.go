package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential/trust"
)

// maxRole is more than the largest role of a repository has.
const maxRole = 8 << 20

// A roleFile is what commands here read of a role's metadata. A gate's reader is package
// trust's; a desk reads its own folder.
type roleFile struct {
	Signed struct {
		Version int64 `json:"version"`
		Targets map[string]struct {
			Length int64 `json:"length"`
			Hashes struct {
				SHA256 string `json:"sha256"`
			} `json:"hashes"`
		} `json:"targets"`
		Delegations struct {
			Roles []speakerRole `json:"roles"`
		} `json:"delegations"`
	} `json:"signed"`
}

type speakerRole struct {
	Name      string   `json:"name"`
	Keys      []string `json:"keyids"`
	Threshold int      `json:"threshold"`
}

func readRole(path string) (roleFile, error) {
	var role roleFile
	text, err := daemon.ReadFile(path, maxRole)
	if err == nil {
		err = json.Unmarshal(text, &role)
	}
	if err != nil {
		return role, fmt.Errorf("%s: %w", path, err)
	}
	return role, nil
}

// people reads who speaks for what at a desk: as it is being signed, or as it is published.
func people(d trust.Desk) ([]speakerRole, error) {
	role, err := readRole(filepath.Join(d.Dir, "drafts", "targets.json"))
	if err == nil {
		return role.Signed.Delegations.Roles, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	report, err := d.Report()
	if err != nil {
		return nil, err
	}
	for _, r := range report.Roles {
		if r.Role == "targets" && r.Version > 0 {
			role, err = readRole(filepath.Join(d.Dir, fmt.Sprintf("%d.targets.json", r.Version)))
			return role.Signed.Delegations.Roles, err
		}
	}
	return nil, nil
}

// maySpeak refuses people whom no gate would listen to: of a region, or of every region when
// those of the firmware changed.
func maySpeak(d trust.Desk, changed string) error {
	roles, err := people(d)
	if err != nil {
		return err
	}
	var makers []string
	for _, r := range roles {
		if r.Name == trust.FirmwareRole {
			makers = r.Keys
		}
	}
	for _, r := range roles {
		if r.Name == trust.FirmwareRole || changed != trust.FirmwareRole && changed != r.Name {
			continue
		}
		if err := speak(r.Name, r.Threshold, r.Keys, makers); err != nil {
			return err
		}
	}
	return nil
}

// rehearsed tries a change of people at a copy of the desk's metadata before it is made: who
// could not speak for a region leaves no draft behind.
func rehearsed(d trust.Desk, changed string, change func(trust.Desk) error) error {
	temp, err := os.MkdirTemp("", "gatectl-desk-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	for _, folder := range []string{".", "drafts"} {
		files, err := filepath.Glob(filepath.Join(d.Dir, folder, "*.json"))
		if err != nil {
			return err
		}
		for _, file := range files {
			text, err := daemon.ReadFile(file, maxRole)
			if err == nil {
				err = os.MkdirAll(filepath.Join(temp, folder), 0o700)
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(temp, folder, filepath.Base(file)), text, 0o600)
			}
			if err != nil {
				return err
			}
		}
	}
	copied := trust.Desk{Dir: temp, Now: d.Now}
	if err := change(copied); err != nil {
		return err
	}
	if err := maySpeak(copied, changed); err != nil {
		return err
	}
	return change(d)
}

// publishedSet reads what a desk has published, as a gate that begins with its first root;
// nil where nothing is. What has ended is read as of when it was issued: that a repository is
// old does not change what it says.
func publishedSet(d trust.Desk) (*trust.Set, error) {
	if !isFile(d.Dir, "timestamp.json") {
		return nil, nil
	}
	report, err := d.Report()
	if err != nil {
		return nil, err
	}
	root, err := d.FirstRoot()
	if err != nil {
		return nil, err
	}
	temp, err := os.MkdirTemp("", "gatectl-trust-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	cache, err := trust.Open(temp, root)
	if err != nil {
		return nil, err
	}
	src, closer, err := trust.OpenFolder(d.Dir)
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	return cache.Adopt(src, report.Issued.Add(time.Second), true)
}

// publishedFile is what a region published under a name; nil for nothing.
func publishedFile(set *trust.Set, region gatehouse.Issuer, name string) []byte {
	if set == nil {
		return nil
	}
	body, ok := set.Target(region, name)
	if !ok {
		return nil
	}
	return body
}

// isRegionRole tells a region's role from those of the nation and from firmware's.
func isRegionRole(role string) bool { return role != "" && strings.ToUpper(role[:1]) == role[:1] }
