package trust

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"testing/fstest"
	"time"
)

// A long random walk of updates, attacks, cuts and wrong clocks. After each step: what serves is
// never older than before, never mixed of two days, and never nothing.
func TestWalkNeverGoesBackAndNeverLeavesADeadGate(t *testing.T) {
	const days, steps = 12, 10_000
	n := newNation(t, "CN-33", "DE")
	trees := []fstest.MapFS{n.tree()}
	times := []time.Time{noon}
	for day := uint64(2); day <= days; day++ {
		n.later(3 * Day)
		n.publish("DE", day)
		n.refresh()
		trees, times = append(trees, n.tree()), append(times, n.desk.Now)
	}
	seed := uint64(time.Now().UnixNano())
	if again, err := strconv.ParseUint(os.Getenv("GATEHOUSE_SEED"), 10, 64); err == nil {
		seed = again
	}
	r := rand.New(rand.NewPCG(seed, 1))
	disk := newRAM()
	c := newCache(t, disk, n.root)
	adopt(t, c, trees[0], noon)
	day, newest, rounds := 0, int64(1), 0
	did := map[string]int{}
	for step := range steps {
		at, trusted := times[day], r.IntN(4) > 0
		tree := trees[day]
		what := []string{"update", "update", "replay", "replay", "replay", "spoil a file", "spoil a file", "clock", "cut", "reboot", "lose a file", "spoil the spare slot"}[r.IntN(12)]
		must := false
		switch what {
		case "update":
			if r.IntN(20) == 0 {
				day = min(day+1, days-1)
			}
			at, tree, must = times[day], trees[day], true
		case "replay":
			tree = trees[r.IntN(day+1)]
		case "spoil a file", "lose a file":
			tree = maps.Clone(trees[r.IntN(day+1)])
			path := slices.Sorted(maps.Keys(tree))[r.IntN(len(tree))]
			if what == "lose a file" {
				delete(tree, path)
				break
			}
			data := slices.Clone(tree[path].Data)
			data[r.IntN(len(data))] ^= 1 << r.IntN(8)
			tree[path] = &fstest.MapFile{Data: data}
		case "clock":
			at = []time.Time{time.Unix(0, 0), {}, times[days-1].AddDate(70, 0, 0), at.Add(-30 * Day), at.Add(10 * Day)}[r.IntN(5)]
			tree = trees[r.IntN(day+1)]
		case "cut":
			disk.left = r.IntN(20)
		case "spoil the spare slot":
			if node := disk.names[other(c.slot)+".zip"]; node != nil {
				node.data[r.IntN(len(node.data))] ^= 1 << r.IntN(8)
			}
		}
		set, err := c.Adopt(Folder{tree}, at, trusted)
		if must && err != nil {
			t.Fatalf("seed %d, step %d: the day's own tree is refused: %v", seed, step, err)
		}
		if err == nil {
			did[what]++
			newest = max(newest, set.Versions()["timestamp"])
		}
		if what == "cut" || what == "reboot" && r.IntN(4) == 0 {
			disk = disk.reboot(func(n int) int { return r.IntN(n + 1) })
			c = newCache(t, disk, n.root)
		}
		set = c.Current()
		if set == nil {
			t.Fatalf("seed %d, step %d (%s): a dead gate: %v", seed, step, what, c.Fault())
		}
		version := set.Versions()["timestamp"]
		if version < newest {
			t.Fatalf("seed %d, step %d (%s): version %d serves after %d", seed, step, what, version, newest)
		}
		newest = version
		list := set.Regions()[1].List
		if want := fmt.Sprintf("policy %d of DE", version); policyOf(set, "DE") != want || list != uint64(version) || len(c.Keys([]byte("CN-33"))) != 1 {
			t.Fatalf("seed %d, step %d (%s): version %d serves with list %d and %q", seed, step, what, version, list, policyOf(set, "DE"))
		}
		if newest == days && step%97 == 0 { // begin anew, so that there is something to go back to
			disk, day, newest = newRAM(), 0, 1
			c = newCache(t, disk, n.root)
			adopt(t, c, trees[0], noon)
			rounds++
		}
	}
	if rounds < 5 || did["update"] == 0 || did["replay"] == 0 {
		t.Errorf("seed %d: %d rounds, adopted by %v: the walk went nowhere", seed, rounds, did)
	}
}
