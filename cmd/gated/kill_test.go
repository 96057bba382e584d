package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store"
)

// kills is how often the gate is killed in the middle of its work.
const kills = 200

// A told is what the gate said of a passage after it was written down.
type told struct {
	Msg  string        `json:"msg"`
	Seq  gatehouse.Seq `json:"seq"`
	Took float64       `json:"took_ms"`
}

func TestKilledGateLosesNothingThatItTold(t *testing.T) {
	s := newPlace(t)
	for i := range 40 {
		s.picture(fmt.Sprintf("%02d.png", i))
	}
	gated, regiond := s.build("gated"), s.build("regiond")
	region := s.startRegion(regiond)
	gate := s.settings(region)

	acknowledged := map[gatehouse.Seq]float64{}
	random := rand.New(rand.NewPCG(200, 9))
	idle := 0
	for round := range kills {
		before := len(acknowledged)
		// The kill falls after so many passages and so many microseconds, which is any
		// moment of the work: between two rows, in the middle of one, while rows travel.
		s.killAfter(gated, gate, 1+random.IntN(6), time.Duration(random.IntN(4000))*time.Microsecond, acknowledged)
		if len(acknowledged) == before {
			idle++
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	if idle > 0 {
		t.Errorf("%d of %d rounds wrote nothing: the law was not put to the test", idle, kills)
	}
	s.handOver(gated, gate)

	book, err := store.OpenReader(t.Context(), filepath.Join(s.dir, "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if err := book.Verify(t.Context()); err != nil {
		t.Errorf("the chain: %v", err)
	}
	head, hash, err := book.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for seq, took := range acknowledged {
		p, err := book.Passage(t.Context(), seq)
		if err != nil {
			t.Errorf("passage %d was told and is not in the book: %v", seq, err)
		} else if ms := float64(p.Took.Microseconds()) / 1000; ms != took {
			t.Errorf("passage %d was told with %v ms, the book has %v ms: another passage", seq, took, ms)
		}
	}
	ledger, err := store.OpenLedger(t.Context(), filepath.Join(s.dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	through, theirs, err := ledger.Head(t.Context(), "north-1", book.Epoch())
	if err != nil || through != head || theirs != hash {
		t.Errorf("the region came to %d (%x, %v), the book to %d (%x)", through, theirs[:4], err, head, hash[:4])
	}
	t.Logf("%d kills: %d passages told, book ends at %d without a gap, the region has all %d", kills, len(acknowledged), head, through)
}

// build makes one of the house's programs as it is shipped.
func (s *place) build(name string) string {
	s.t.Helper()
	program := filepath.Join(s.dir, name)
	build := exec.CommandContext(s.t.Context(), "go", "build", "-o", program, "gatehouse/cmd/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// startRegion runs the real regional server until the test ends, and gives its address.
func (s *place) startRegion(program string) string {
	s.t.Helper()
	s.certificate()
	s.gateKey()
	settings := fmt.Sprintf("region = \"CN-330100\"\nlisten = \"127.0.0.1:0\"\nledger = %q\ncertificate = %q\nkey = %q\n[[gate]]\nname = \"north-1\"\nkey = '''\n%s'''\n",
		filepath.Join(s.dir, "ledger.db"), filepath.Join(s.dir, "region.pem"), filepath.Join(s.dir, "gate.key"), s.gatePublic())
	s.put("region.toml", []byte(settings), nil)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "--config", filepath.Join(s.dir, "region.toml"))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	out, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	s.t.Cleanup(func() {
		cancel()
		for lines.Scan() {
			// Read to the end, so that it can be waited for.
		}
		cmd.Wait()
	})
	for lines.Scan() {
		var l struct{ Address string }
		if json.Unmarshal(lines.Bytes(), &l) == nil && l.Address != "" {
			go func() {
				for lines.Scan() {
					// What it says while it works is not this test's matter.
				}
			}()
			return l.Address
		}
	}
	s.t.Fatal("regiond ended before it listened")
	return ""
}

func (s *place) settings(region string) string {
	s.put("gate.toml", fmt.Appendf(nil, "name = \"north-1\"\nbook = %q\ncamera = %q\nthermometer = \"none\"\nbarrier = \"note:\"\nlights = \"none\"\n"+
		"[trust]\nfolder = %q\nroot = %q\nsite = \"CN-330100\"\nstick = %q\n[console]\nlisten = \"127.0.0.1:0\"\n[region]\nurl = %q\nca = %q\nkey = %q\nbeat = \"100ms\"\nlongest_wait = \"1s\"\n",
		filepath.Join(s.dir, "book.db"), "file:"+filepath.Join(s.dir, "frames")+"?fps=0", filepath.Join(s.dir, "trust"), filepath.Join(s.dir, "root.json"), s.desk.Dir,
		region, filepath.Join(s.dir, "region.pem"), filepath.Join(s.dir, "gate.key")), nil)
	return filepath.Join(s.dir, "gate.toml")
}

// killAfter runs the gate until it told so many passages and a little more, kills it, and
// keeps what it told.
func (s *place) killAfter(program, settings string, passages int, more time.Duration, acknowledged map[gatehouse.Seq]float64) {
	s.t.Helper()
	cmd := exec.Command(program, "--config", settings)
	out, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines, last := bufio.NewScanner(out), ""
	for n := 0; lines.Scan(); {
		last = lines.Text()
		var l told
		if json.Unmarshal(lines.Bytes(), &l) != nil || l.Msg != "passage" {
			continue
		}
		if had, ok := acknowledged[l.Seq]; ok {
			s.t.Errorf("passage %d was told twice: %v ms and %v ms", l.Seq, had, l.Took)
		}
		acknowledged[l.Seq] = l.Took
		if n++; n == passages {
			go func() {
				<-time.After(more)
				cmd.Process.Kill()
			}()
		}
	}
	cmd.Process.Kill()
	if cmd.Wait(); cmd.ProcessState.Exited() {
		s.t.Errorf("the gate ended by itself: %v: %s", cmd.ProcessState, last)
	}
}

// handOver lets the gate run to the end of its frames, which sends what is left.
func (s *place) handOver(program, settings string) {
	s.t.Helper()
	if out, err := exec.CommandContext(s.t.Context(), program, "--config", settings).CombinedOutput(); err != nil {
		s.t.Fatalf("the last run: %v\n%s", err, out)
	}
}
