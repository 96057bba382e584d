package module

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A pseudo is a scanner module on a pseudo terminal: the test writes what it scans.
type pseudo struct {
	*os.File
	slave string
}

func newPseudo(t *testing.T) pseudo {
	t.Helper()
	f, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	var number int
	err = control(f, func(fd int) (err error) {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pseudo{f, fmt.Sprintf("/dev/pts/%d", number)}
}

// plugInto lets a path lead to the module, as udev does.
func (p pseudo) plugInto(t *testing.T, path string) {
	t.Helper()
	if err := os.Symlink(p.slave, path+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// opening gives a Reader, and what tells of each time it has opened its module: what was
// scanned before is thrown away.
func opening(t *testing.T, line string) (*Reader, <-chan port) {
	t.Helper()
	r, err := Open(line)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	opened := make(chan port, 10)
	inner := r.open
	r.open = func() (port, *decoder, error) {
		p, d, err := inner()
		if err == nil {
			opened <- p
		}
		return p, d, err
	}
	return r, opened
}

func TestSerialModuleIsReadEachWay(t *testing.T) {
	long := strings.Repeat("7", maxText)
	for _, c := range []struct {
		name, options string
		sent          []string // each followed by an answer, unless that is ""
		want          []string
	}{
		{"CR", "", []string{"HC1:6BF\r"}, []string{"HC1:6BF"}},
		{"LF", "&suffix=lf", []string{"HC1:6BF\n"}, []string{"HC1:6BF"}},
		{"CR LF", "&suffix=crlf", []string{"HC1:6BF\r\n", "NEXT\r\n"}, []string{"HC1:6BF", "NEXT"}},
		{"pieces", "", []string{"HC", "1:", "6BF\r"}, []string{"", "", "HC1:6BF"}},
		{"a pause", "&idle=5ms&suffix=none", []string{"ONE", "TWO"}, []string{"ONE", "TWO"}},
		{"eight bits", "", []string{"健康码\r", "Z\xfcrich\r"}, []string{"健康码", "Zürich"}},
		// A terminal that is not raw would take these for itself.
		{"noise", "", []string{"\x03\x04\x11\x13\x1a\x1c\x7f\x00\xff\x15A\r", "B\r"}, []string{"", "B"}},
		{"the longest", "", []string{long[:4000], long[4000:] + "\r"}, []string{"", long}},
		{"endless", "", []string{long[:4000], long[:4000], long[:4000], "\rA\r"}, []string{"", "", "", "A"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newPseudo(t)
			line := "serial:" + m.slave + "?baud=9600" + c.options
			if !strings.Contains(line, "idle=") {
				line += "&idle=5s" // a slow machine is no pause
			}
			r, opened := opening(t, line)
			got := ask(patience(t), r)
			<-opened
			for i, text := range c.sent {
				send(t, m, text)
				if c.want[i] == "" {
					continue
				}
				if a := <-got; a.err != nil || a.Text != c.want[i] {
					t.Fatalf("sent %.40q, got %.40q, %v; want %.40q", text, a.Text, a.err, c.want[i])
				}
				got = ask(patience(t), r)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			<-got
		})
	}
}

func TestSerialPortIsRawAndForThisProgramAlone(t *testing.T) {
	m := newPseudo(t)
	r, opened := opening(t, "serial:"+m.slave+"?baud=19200")
	got := ask(patience(t), r)
	f := (<-opened).(*os.File)
	err := control(f, func(fd int) error {
		now, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return err
		}
		if now.Iflag != 0 || now.Oflag != 0 || now.Lflag != 0 {
			t.Errorf("input %o, output %o, local %o, want none", now.Iflag, now.Oflag, now.Lflag)
		}
		if now.Cflag&(unix.CSIZE|unix.PARENB|unix.CSTOPB) != unix.CS8 || now.Cflag&unix.CBAUD != unix.B19200 || now.Cflag&unix.CLOCAL == 0 {
			t.Errorf("control %o", now.Cflag)
		}
		exclusive, err := unix.IoctlGetInt(fd, unix.TIOCGEXCL)
		if exclusive == 0 {
			t.Error("others may open the port too")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	send(t, m, "A\r")
	if a := <-got; a.Text != "A" {
		t.Errorf("%q, %v", a.Text, a.err)
	}
	if err := m.SetReadDeadline(epoch); err != nil { // long ago: what is there, no waiting
		t.Fatal(err)
	}
	if n, err := m.Read(make([]byte, 10)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes came back, %v: the port echoes", n, err)
	}
}

func TestSerialModuleIsUnpluggedAndPluggedInAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "usb-Scanner-if00")
	r, opened := opening(t, "serial:"+path+"?suffix=cr")
	if _, err := r.Next(patience(t)); err == nil || !strings.Contains(err.Error(), path+": open: no such file or directory: is the module plugged in? Names that last: ls /dev/serial/by-id") {
		t.Errorf("before it is plugged in: %v", err)
	}
	for _, text := range []string{"ONE", "TWO", "THREE"} {
		m := newPseudo(t)
		m.plugInto(t, path)
		<-opened
		send(t, m, text+"\r")
		var got answer
		for got = range again(patience(t), r) {
			if got.err == nil {
				break
			}
		}
		if got.Text != text || r.Alive().IsZero() {
			t.Errorf("plugged in: %q, alive %v, want %q", got.Text, r.Alive(), text)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		m.Close()
		_, err := r.Next(patience(t))
		if err == nil || errors.Is(err, io.EOF) || !strings.Contains(err.Error(), path+": unplugged: plug the module in again") {
			t.Errorf("unplugged: %v", err)
		}
	}
	if c := r.Counts(); c != (Counts{Scans: 3, Lost: 3}) {
		t.Errorf("counted %+v", c)
	}
}

// patience ends a test that would hang; nothing is measured by it.
func patience(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestWhatCameBeforeThePortWasOpenedIsThrownAway(t *testing.T) {
	m := newPseudo(t)
	early, err := unix.Open(m.slave, unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(early)
	send(t, m, "OLD\r")
	for err := unix.EINTR; err == unix.EINTR; {
		_, e := unix.Poll([]unix.PollFd{{Fd: int32(early), Events: unix.POLLIN}}, 60_000)
		err, _ = e.(unix.Errno)
	}
	r, opened := opening(t, "serial:"+m.slave)
	got := ask(patience(t), r)
	<-opened
	send(t, m, "NEW\r")
	if a := <-got; a.Text != "NEW" || r.Counts() != (Counts{Scans: 1}) {
		t.Errorf("%q, %v, %+v", a.Text, a.err, r.Counts())
	}
}

// again asks until nobody listens.
func again(ctx context.Context, r *Reader) func(yield func(answer) bool) {
	return func(yield func(answer) bool) {
		for yield(<-ask(ctx, r)) {
		}
	}
}

func TestDeviceThatIsNoneSaysWhatToDo(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	m := newPseudo(t)
	for line, want := range map[string]string{
		"serial:" + plain:     "set up: inappropriate ioctl for device: it is no serial port: names that last: ls /dev/serial/by-id",
		"serial:/dev/null":    "it is no serial port",
		"hid:" + plain:        "grab: inappropriate ioctl for device: it is no input device: names that last: ls /dev/input/by-id",
		"hid:" + m.slave:      "it is no input device",
		"hid:" + plain + ".x": "is the module plugged in? Names that last: ls /dev/input/by-id",
	} {
		r, _ := opening(t, line)
		if _, err := r.Next(patience(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", line, err, want)
		}
	}
	for err, want := range map[error]string{
		unix.EACCES:      "permission denied: such devices belong to the group input",
		unix.EBUSY:       "device or resource busy: another program has grabbed the module",
		io.ErrNoProgress: io.ErrNoProgress.Error(),
	} {
		if got := hidHints.explain(err).Error(); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}

// A pipe stands for the input device, which only a kernel with such a device has: what is
// read from it is what the kernel gives on boards of both sizes.
func TestModuleThatTypesIsRead(t *testing.T) {
	for _, size := range times {
		from, to, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r, err := Open("hid:/dev/input/event0?idle=5s")
		if err != nil {
			t.Fatal(err)
		}
		r.open = func() (port, *decoder, error) {
			return from, &decoder{&keyboard{time: size}, framer{suffix: hidSuffixes[0], counts: &r.counts}}, nil
		}
		got := ask(patience(t), r)
		for _, text := range []string{"HC1:6BFOXN%TSMAHN-HVN8J7UQMJ4/36 L-AH$*+.", "second {one}"} {
			end := uint16(keyEnter)
			if len(text) < 20 {
				end = keyTab
			}
			send(t, to, string(recorded(size, slices.Concat(keystrokes(text), press(end))...)))
			if a := <-got; a.Text != text {
				t.Errorf("time of %d bytes: typed %q, got %q, %v", size, text, a.Text, a.err)
			}
			got = ask(patience(t), r)
		}
		to.Close()
		if a := <-got; a.err == nil || errors.Is(a.err, io.EOF) {
			t.Errorf("unplugged: %v", a.err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
