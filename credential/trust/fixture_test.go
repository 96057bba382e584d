package trust

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"gatehouse"
	"gatehouse/credential"
)

var noon = time.Date(2021, 5, 3, 12, 0, 0, 0, time.UTC)

// testKey is the same key for the same name, so that tests fail the same way twice.
func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func signers(names ...string) []Signer {
	var list []Signer
	for _, name := range names {
		list = append(list, Signer{name, testKey(name).Public()})
	}
	return list
}

// A nation is a desk, with all the people who sign in one room.
type nation struct {
	t    testing.TB
	desk Desk
	root []byte // the first
}

func newNation(t testing.TB, regions ...string) *nation {
	t.Helper()
	n := &nation{t: t, desk: Desk{Dir: filepath.Join(t.TempDir(), "nation"), Now: noon}}
	n.must(n.desk.Init(Ceremony{
		Root:      Quorum{signers("r1", "r2", "r3", "r4", "r5"), 3},
		Snapshot:  Quorum{signers("desk"), 1},
		Timestamp: Quorum{signers("desk"), 1},
		Life:      365 * Day,
	}))
	for _, id := range regions {
		n.must(n.desk.AddRole(id, Quorum{signers(id+"-1", id+"-2", id+"-3"), 2}, 365*Day))
	}
	n.sign("", "r1", "r3", "r5")
	for _, id := range regions {
		n.publish(id, 1)
	}
	n.refresh()
	root, err := n.desk.FirstRoot()
	n.must(err)
	n.root = root
	return n
}

func (n *nation) must(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

func (n *nation) sign(role string, who ...string) {
	n.t.Helper()
	for _, name := range who {
		_, err := n.desk.Sign(role, testKey(name))
		n.must(err)
	}
}

// publish signs a key list and a policy of a region.
func (n *nation) publish(id string, version uint64) {
	n.t.Helper()
	dir := n.t.TempDir()
	keys, policy := filepath.Join(dir, "keys"), filepath.Join(dir, "policy")
	n.must(os.WriteFile(keys, listText(id, version, id), 0o600))
	n.must(os.WriteFile(policy, fmt.Appendf(nil, "policy %d of %s", version, id), 0o600))
	n.must(n.desk.Publish(id, map[string]string{Keys: keys, Policy: policy}, 90*Day))
	n.sign(id, id+"-1", id+"-2")
}

func (n *nation) refresh() *Set {
	n.t.Helper()
	set, _, err := n.desk.Refresh([]crypto.Signer{testKey("desk")}, 30*Day, 14*Day)
	n.must(err)
	return set
}

// later moves the desk's clock.
func (n *nation) later(d time.Duration) { n.desk.Now = n.desk.Now.Add(d) }

// tree is what a stick would carry now.
func (n *nation) tree() fstest.MapFS {
	n.t.Helper()
	tree := fstest.MapFS{}
	n.must(fs.WalkDir(os.DirFS(n.desk.Dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(path, "drafts/") {
			return err
		}
		text, err := os.ReadFile(filepath.Join(n.desk.Dir, path))
		tree[path] = &fstest.MapFile{Data: text}
		return err
	}))
	return tree
}

// listText is a key list of one key, whose id is the name of its issuer.
func listText(id string, version uint64, issuers ...string) []byte {
	list := credential.TrustList{Kind: "trust", Region: gatehouse.Issuer(id), Version: version, Issued: noon}
	for _, issuer := range issuers {
		spki, err := x509.MarshalPKIXPublicKey(testKey("issuer " + issuer).Public())
		if err != nil {
			panic(err)
		}
		list.Keys = append(list.Keys, credential.TrustKey{Issuer: gatehouse.Issuer(issuer), KID: hex.EncodeToString([]byte(issuer)),
			SPKI: spki, NotBefore: noon, NotAfter: noon.AddDate(2, 0, 0), Usage: []string{"vaccination"}})
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return text
}

// manyKeys is a key list of many keys of one region, under the ids <region>/0, /1, ...
func manyKeys(id string, count int) []byte {
	list := credential.TrustList{Kind: "trust", Region: gatehouse.Issuer(id), Version: 1, Issued: noon}
	for i := range count {
		kid := fmt.Sprintf("%s/%d", id, i)
		spki, err := x509.MarshalPKIXPublicKey(testKey(kid).Public())
		if err != nil {
			panic(err)
		}
		list.Keys = append(list.Keys, credential.TrustKey{Issuer: gatehouse.Issuer(id), KID: hex.EncodeToString([]byte(kid)),
			SPKI: spki, NotBefore: noon, NotAfter: noon.AddDate(2, 0, 0), Usage: []string{"vaccination"}})
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return text
}

func newCache(t testing.TB, d disk, root []byte) *Cache {
	t.Helper()
	c, err := open(d, root)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func adopt(t testing.TB, c *Cache, tree fs.FS, at time.Time) *Set {
	t.Helper()
	set, err := c.Adopt(Folder{tree}, at, true)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// A ram is a disk that can lose its power at any step. Files have what was synced, and maybe
// a part of the rest; names are as at the folder's last sync, and maybe a few changes later.
type ram struct {
	names   map[string]*inode
	durable map[string]*inode
	changes []func(map[string]*inode) // since the folder's last sync, in order
	left    int                       // steps until the power goes; below zero: it stays
	steps   int
}

type inode struct {
	data   []byte
	synced int
}

var errCut = errors.New("power cut")

func newRAM() *ram {
	return &ram{names: map[string]*inode{}, durable: map[string]*inode{}, left: -1}
}

func (r *ram) step() error {
	r.steps++
	if r.left == 0 {
		return errCut
	}
	if r.left > 0 {
		r.left--
	}
	return nil
}

func (r *ram) change(f func(map[string]*inode)) {
	f(r.names)
	r.changes = append(r.changes, f)
}

// reboot is the disk after the power came back. pick chooses how much of what was not synced
// happened all the same: 0 to n.
func (r *ram) reboot(pick func(n int) int) *ram {
	after := newRAM()
	for _, change := range r.changes[:pick(len(r.changes))] {
		change(r.durable)
	}
	for _, name := range slices.Sorted(maps.Keys(r.durable)) {
		node := r.durable[name]
		data := slices.Clone(node.data[:node.synced+pick(len(node.data)-node.synced)])
		after.names[name] = &inode{data, len(data)}
	}
	after.durable = maps.Clone(after.names)
	return after
}

func (r *ram) create(name string) (newFile, error) {
	if err := r.step(); err != nil {
		return nil, err
	}
	node := &inode{}
	r.change(func(names map[string]*inode) { names[name] = node })
	return &ramFile{r, node}, nil
}

func (r *ram) rename(from, to string) error {
	if err := r.step(); err != nil {
		return err
	}
	r.change(func(names map[string]*inode) {
		if node, ok := names[from]; ok {
			names[to] = node
			delete(names, from)
		}
	})
	return nil
}

func (r *ram) remove(name string) error {
	if err := r.step(); err != nil {
		return err
	}
	r.change(func(names map[string]*inode) { delete(names, name) })
	return nil
}

func (r *ram) sync() error {
	if err := r.step(); err != nil {
		return err
	}
	r.durable, r.changes = maps.Clone(r.names), nil
	return nil
}

func (r *ram) lock() (func(), error) { return func() {}, nil }

func (r *ram) open(name string) (slotFile, error) {
	if r.left == 0 {
		return nil, errCut
	}
	node, ok := r.names[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return openRAM{bytes.NewReader(node.data)}, nil
}

type openRAM struct{ *bytes.Reader }

func (openRAM) Close() error                 { return nil }
func (o openRAM) Stat() (fs.FileInfo, error) { return ramInfo{size: o.Size()}, nil }

type ramInfo struct {
	fs.FileInfo
	size int64
}

func (i ramInfo) Size() int64 { return i.size }

type ramFile struct {
	disk *ram
	node *inode
}

func (f *ramFile) Write(p []byte) (int, error) {
	if err := f.disk.step(); err != nil {
		half := p[:len(p)/2]
		f.node.data = append(f.node.data, half...)
		return len(half), err
	}
	f.node.data = append(f.node.data, p...)
	return len(p), nil
}

func (f *ramFile) Sync() error {
	if err := f.disk.step(); err != nil {
		return err
	}
	f.node.synced = len(f.node.data)
	return nil
}

func (f *ramFile) Close() error { return nil }

// reader is a source that a test writes in one line.
type reader func(path string, limit int64) (io.ReadCloser, error)

func (r reader) Open(path string, limit int64) (io.ReadCloser, error) { return r(path, limit) }
