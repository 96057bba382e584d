package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
	"gatehouse/gate/console"
	"gatehouse/store"
)

// The demo's guard, whose number is printed: there is nothing to guard.
const (
	demoGuard = "Li"
	demoPIN   = "2468"
)

func demoCommand() *cobra.Command {
	var d demo
	c := &cobra.Command{
		Use:   "demo",
		Short: "Show a gate and its region at work, with nothing plugged in",
		Long: `demo starts the real regiond and the real gated in a temporary folder. Before the gate's
camera people hold up codes, drawn as a camera would see them; its thermometer is a model
of the chip behind a real driver. Six regions signed what the gate believes. While it runs
the region's people sign another policy, the link to the region is cut, another region's
people withdraw their key, and the link comes back.

Open the guard's page that it prints. It ends with ctrl-C, or by itself with --for; all kinds
of people have come after 90 seconds. The summary says what became of each kind, and by
which rule or agreement.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			d.out, d.errs = c.OutOrStdout(), c.ErrOrStderr()
			return d.run(c.Context())
		},
	}
	c.Flags().DurationVar(&d.length, "for", 0, "end after this long (default: run until ctrl-C)")
	c.Flags().Uint64Var(&d.seed, "seed", 1, "another seed, another queue")
	c.Flags().BoolVar(&d.asJSON, "json", false, "passages and summary as JSON, one object a line")
	c.Flags().StringVar(&d.keep, "keep", "", "make the demo's folder here and leave it, to look into the book afterwards")
	return c
}

// A demo is one run of it.
type demo struct {
	length time.Duration
	seed   uint64
	asJSON bool
	keep   string
	out    io.Writer
	errs   io.Writer

	dir    string
	kit    *kit
	people []person
	begin  time.Time // when the first of them comes
	region *child
	gate   *child
	link   *link
	book   *store.Reader // the gate's; nil before the first passage
}

func (d *demo) run(ctx context.Context) (err error) {
	if d.length != 0 && d.length < 5*time.Second {
		return daemon.UsageError{Err: fmt.Errorf("--for %v is shorter than anybody needs to pass: give 5s or more", d.length)}
	}
	// A terminal that is closed and a reader that has left end the demo as ctrl-C does: by
	// default they would end gatectl alone, and leave daemons and folder behind.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	remove, err := d.folder()
	if err != nil {
		return err
	}
	defer remove()
	// What is told to stop here is the demo, not its daemons: they are stopped in turn, so
	// that the last passages still reach the region.
	started := context.WithoutCancel(ctx)
	if err := d.open(ctx, started); err != nil {
		d.kill()
		if ctx.Err() != nil {
			return errors.New("stopped before the gate was open")
		}
		return err
	}
	defer d.link.close()

	d.watch(ctx)

	sum, err := d.close(started)
	if err != nil {
		return err
	}
	if err := sum.print(d.out, d.asJSON); err != nil {
		return err
	}
	if sum.Lost != 0 {
		return fmt.Errorf("%d passages are lost", sum.Lost)
	}
	return nil
}

// folder makes where everything lies, and says how to leave no trace of it.
func (d *demo) folder() (remove func(), err error) {
	if d.keep != "" {
		d.dir, err = filepath.Abs(d.keep)
		if err == nil {
			err = os.Mkdir(d.dir, 0o700)
		}
		return func() {}, err
	}
	d.dir, err = os.MkdirTemp("", "gatehouse-demo-")
	return func() { os.RemoveAll(d.dir) }, err
}

// open makes the keys, the codes and the queue, and starts region, link and gate.
func (d *demo) open(ctx, started context.Context) error {
	now := time.Now()
	var err error
	if d.kit, err = demoKit(); err != nil {
		return err
	}
	if d.people, err = d.kit.queue(d.seed, now); err != nil {
		return err
	}
	d.kit.of(hangzhou).policy = demoPolicy(1, now, riskBefore())
	if err := d.kit.write(d.dir, []string{"127.0.0.1"}, now); err != nil {
		return err
	}
	if err := writeScripts(d.dir, d.people); err != nil {
		return err
	}
	if d.link, err = newLink(ctx); err != nil {
		return err
	}
	// The queue comes up as soon as the daemons are there; both scripts begin at one moment.
	d.begin = time.Now().Add(2 * time.Second).Truncate(time.Millisecond)
	if err := d.settings().write(d.kit); err != nil {
		return err
	}
	if d.region, err = start(started, "regiond", "--config", filepath.Join(d.dir, "region/region.toml")); err != nil {
		return err
	}
	regionAt, err := d.region.address(ctx)
	if err != nil {
		return err
	}
	d.link.to = strings.TrimPrefix(regionAt, "https://")
	go d.region.passOver()
	if d.gate, err = start(started, "gated", "--config", filepath.Join(d.dir, "gate/gate.toml")); err != nil {
		return err
	}
	consoleAt, err := d.gate.address(ctx)
	if err != nil {
		return err
	}
	d.say("guard's page    %s\nholder's page   %s/public\nregion's page   %s (its certificate is its own)\n"+
		"guard           %s, PIN %s\n\n", consoleAt, strings.TrimSuffix(consoleAt, "/"), regionAt, demoGuard, demoPIN)
	return nil
}

func (d *demo) settings() settingsOf {
	begin := d.begin.UnixMilli()
	return settingsOf{dir: d.dir, gate: "hangzhou-east-7", region: d.kit.region,
		regionListen: "127.0.0.1:0", regionURL: "https://" + d.link.address(), consoleListen: "127.0.0.1:0",
		camera:      fmt.Sprintf("sim:%s?seed=%d&start=%d", filepath.Join(d.dir, "camera.jsonl"), d.seed, begin),
		thermometer: fmt.Sprintf("sim:%s?seed=%d&start=%d", filepath.Join(d.dir, "thermometer.jsonl"), d.seed, begin),
		barrier:     "note:", lights: "none", beat: "1s", trustBeat: "1s", guardName: demoGuard, guardPIN: console.HashPIN(demoPIN)}
}

// say is for people; programs get JSON only.
func (d *demo) say(format string, args ...any) {
	if !d.asJSON {
		fmt.Fprintf(d.out, format, args...)
	}
}

// watch prints what the gate writes down, and lets happen what the demo has to tell, until
// the time is up or somebody stops it.
func (d *demo) watch(ctx context.Context) {
	step := 10 * time.Second
	var end <-chan time.Time
	if d.length > 0 {
		step, end = d.length/6, time.After(d.length)
	}
	turn := time.NewTicker(step)
	defer turn.Stop()
	story := d.story()
	defer d.closeBook()
	for {
		select {
		case <-ctx.Done():
			return
		case <-end:
			return
		case <-turn.C:
			if err := story(); err != nil {
				fmt.Fprintf(d.errs, "demo: %v\n", err)
			}
		case l, ok := <-d.gate.lines:
			if !ok {
				return
			}
			if err := d.tell(ctx, l); err != nil {
				if ctx.Err() == nil && !errors.Is(err, syscall.EPIPE) { // a reader that has left needs no word
					fmt.Fprintf(d.errs, "demo: %v\n", err)
				}
				return
			}
		}
	}
}

func (d *demo) closeBook() {
	if d.book == nil {
		return
	}
	if err := d.book.Close(); err != nil {
		fmt.Fprintf(d.errs, "demo: %v\n", err)
	}
}

// tell prints a line of the gate's log that people should see.
func (d *demo) tell(ctx context.Context, l logLine) error {
	switch {
	case l.Msg == "passage":
		return d.printPassage(ctx, l.passageLine)
	case l.Level == "ERROR" && l.Msg == "signed files" && d.link.isCut():
		// That the region cannot be reached has been said.
	case l.Level == "ERROR":
		fmt.Fprintf(d.errs, "gated: %s %s\n", l.Msg, l.Err)
	case l.Msg == "policy in use" || l.Msg == "signed files in use":
		d.say("          ----  the gate: %s%s\n", l.Msg, l.versions())
	}
	return nil
}

// kill ends what was started when the demo could not begin.
func (d *demo) kill() {
	for _, c := range []*child{d.gate, d.region} {
		if c != nil {
			c.cmd.Process.Kill()
			for range c.lines {
				// Its last words are in the error already.
			}
			<-c.ended
		}
	}
	if d.link != nil {
		d.link.close()
	}
}
