package main

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/scanner/qr"
)

// TestMain lets the test's own program be a peer.
func TestMain(m *testing.M) {
	if way := os.Getenv("QRBENCH_TEST_PEER"); way != "" {
		os.Exit(bePeer(way))
	}
	goleak.VerifyTestMain(m)
}

// bePeer answers each frame with its size and a sum over its pixels, or misbehaves.
func bePeer(way string) int {
	in := bufio.NewReader(os.Stdin)
	if way == "mute" {
		fmt.Fprintln(os.Stderr, "no licence for this machine")
		return 3
	}
	fmt.Println("ready test 1.0")
	for {
		var width, height int
		if _, err := fmt.Fscanf(in, "%d %d\n", &width, &height); err != nil {
			return 0
		}
		pix := make([]byte, width*height)
		if _, err := io.ReadFull(in, pix); err != nil {
			return 1
		}
		if way == "garbage" {
			fmt.Println("segmentation fault")
			continue
		}
		texts := []string{fmt.Sprintf("%dx%d", width, height), fmt.Sprintf("sum\n%08x", crc32.ChecksumIEEE(pix))}
		fmt.Printf("2000000 1000000 %d\n", len(texts))
		for _, t := range texts {
			fmt.Printf("%d\n%s\n", len(t), t)
		}
	}
}

func testPeer(t *testing.T, c clock, way string) (*peer, error) {
	t.Helper()
	t.Setenv("QRBENCH_TEST_PEER", way)
	return startPeer(t.Context(), c, t.TempDir(), os.Args[0])
}

func TestPeerSeesThePixelsThatTheOthersSee(t *testing.T) {
	p, err := testPeer(t, cpu, "honest")
	if err != nil {
		t.Fatal(err)
	}
	if p.name != "test 1.0" {
		t.Errorf("it is called %q", p.name)
	}
	padded := qr.Luma{Pix: []byte("abc-def-"), Width: 3, Height: 2, Stride: 4}
	for _, c := range []struct {
		frame qr.Luma
		tight string
	}{
		{padded, "abcdef"},
		{qr.Luma{Pix: []byte("\n12 3\n"), Width: 6, Height: 1, Stride: 6}, "\n12 3\n"},
	} {
		r, err := p.read(c.frame)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{fmt.Sprintf("%dx%d", c.frame.Width, c.frame.Height), fmt.Sprintf("sum\n%08x", crc32.ChecksumIEEE([]byte(c.tight)))}
		if !slices.Equal(r.texts, want) || r.took != time.Millisecond || r.allocs != noAllocs {
			t.Errorf("got %q in %v with %d allocations, want %q in 1ms", r.texts, r.took, r.allocs, want)
		}
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestPeerThatBreaksDownSaysWhy(t *testing.T) {
	if _, err := testPeer(t, wall, "mute"); err == nil || !strings.Contains(err.Error(), "no licence for this machine") {
		t.Errorf("a peer that ends at once: %v", err)
	}
	p, err := testPeer(t, wall, "garbage")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.read(qr.Luma{Pix: []byte{1}, Width: 1, Height: 1, Stride: 1}); err == nil || !strings.Contains(err.Error(), "segmentation fault") {
		t.Errorf("a peer that speaks otherwise: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestAnswerIsTakenWholeOrNotAtAll(t *testing.T) {
	for _, c := range []struct {
		said  string
		texts []string
		fault string
	}{
		{said: "5 4 0\n"},
		{said: "5 4 2\n3\na\nb\n0\n\n", texts: []string{"a\nb", ""}},
		{said: "5 4 1\n3\nabc", fault: "text of 3 bytes"},
		{said: "5 4 1\n3\nabcd\n", fault: "no line's end"},
		{said: "5 4 1\n-1\n", fault: "want 0 to 16384"},
		{said: "5 4 1\n99999999999999999999\n", fault: "want 0 to 16384"},
		{said: "5 4 256\n", fault: "want 0 to 255"},
		{said: "5 4\n", fault: "two times and a count"},
		{said: "5 4 0 0\n", fault: "two times and a count"},
		{said: "-5 4 0\n", fault: "want 0 to"},
		{said: "5 4 0", fault: "unexpected EOF"},
		{said: strings.Repeat("5", 5000) + "\n", fault: "longer than"},
	} {
		a, err := readAnswer(bufio.NewReader(strings.NewReader(c.said)))
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%.40q: got %v, want %q", c.said, err, c.fault)
			}
			continue
		}
		if err != nil || !slices.Equal(a.texts, c.texts) || a.wall != 5 || a.cpu != 4 {
			t.Errorf("%q: got %+v, %v", c.said, a, err)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte("12345 12000 1\n5\nHC1:A\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		in := bufio.NewReader(bytes.NewReader(said))
		a, err := readAnswer(in)
		if err != nil {
			return
		}
		// What was taken can be said again and is taken the same.
		var again bytes.Buffer
		fmt.Fprintf(&again, "%d %d %d\n", a.wall, a.cpu, len(a.texts))
		for _, text := range a.texts {
			fmt.Fprintf(&again, "%d\n%s\n", len(text), text)
		}
		b, err := readAnswer(bufio.NewReader(&again))
		if err != nil || b.wall != a.wall || b.cpu != a.cpu || !slices.Equal(a.texts, b.texts) {
			t.Errorf("said again: %+v, %v, want %+v", b, err, a)
		}
	})
}
