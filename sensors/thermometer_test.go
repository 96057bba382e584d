package sensors

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/i2c"

	"gatehouse"
	"gatehouse/sensors/bench"
)

// fakeChip gives one reading after the other, each a temperature or an error, and the
// last for ever.
type fakeChip struct {
	skin []any
	read int
}

func (c *fakeChip) String() string                           { return "fake@01" }
func (c *fakeChip) Identify(context.Context) (string, error) { return "fake", nil }
func (c *fakeChip) next() any                                { return c.skin[min(c.read, len(c.skin)-1)] }
func (c *fakeChip) Read(context.Context) (o, a gatehouse.Temperature, err error) {
	defer func() { c.read++ }()
	if err, ok := c.next().(error); ok {
		return 0, 0, err
	}
	return gatehouse.Temperature(c.next().(int)), 24_000, nil
}

func TestSkinIsTheMedianOfReadingsThatAgree(t *testing.T) {
	bad := errors.New("fake: wrong code")
	for _, c := range []struct {
		law     string
		chip    []any
		skin    gatehouse.Temperature
		quality gatehouse.Quality
		reads   int
	}{
		{"five that agree are enough", []any{36_500, 36_600, 36_400, 36_700, 36_650}, 36_600, gatehouse.Steady, 5},
		{"a spread of 300 is steady", []any{36_500, 36_500, 36_800, 36_500, 36_500}, 36_500, gatehouse.Steady, 5},
		{"bad ones are left out", []any{bad, 36_500, bad, 36_600, 36_500, bad, 36_600, 36_700}, 36_600, gatehouse.Steady, 8},
		{"four bad ones are mended", []any{bad, bad, bad, bad, 36_500}, 36_500, gatehouse.Steady, 9},
		{"five bad ones are a fault", []any{36_500, bad, bad, bad, bad, bad}, 0, gatehouse.Faulty, 6},
		{"one who comes nearer is waited for", []any{28_000, 33_000, 36_000, 36_500}, 36_500, gatehouse.Steady, 8},
		{"one who walks by is unsteady", []any{36_500, 30_000, 36_500, 30_000, 36_500, 30_000, 36_500, 30_000, 36_500}, 36_500, gatehouse.Unsteady, 9},
	} {
		t.Run(c.law, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				chip := &fakeChip{skin: c.chip}
				thermometer := NewThermometer(chip)
				thermometer.WarmUp = 0
				m, err := thermometer.Skin(t.Context())
				if (err != nil) != (c.quality == gatehouse.Faulty) {
					t.Fatalf("got error %v with %v", err, m.Quality)
				}
				want := gatehouse.Measurement{Skin: c.skin, Ambient: 24_000, Quality: c.quality, Readings: 5, Sensor: "fake@01"}
				if c.quality == gatehouse.Faulty {
					want.Ambient, want.Readings = 0, 0
				}
				if m != want {
					t.Errorf("got %+v, want %+v", m, want)
				}
				if chip.read != c.reads {
					t.Errorf("got %d readings, want %d", chip.read, c.reads)
				}
			})
		})
	}
}

func TestNoThermometerMeasuresNobody(t *testing.T) {
	m, err := (&Thermometer{}).Skin(t.Context())
	if err != nil || m != (gatehouse.Measurement{}) {
		t.Errorf("got %+v %v, want nothing", m, err)
	}
}

// lasting is a bus that can be opened again after it was closed, as a device file can.
type lasting struct{ *bench.Bus }

func (lasting) Close() error { return nil }

// rig is a thermometer over a bench bus that a test breaks and mends.
type rig struct {
	*Thermometer
	bench *bench.Bus
	fault atomic.Value // a bench.Fault: a transaction left behind may still look at it
}

func newRig() *rig {
	r := &rig{}
	r.fault.Store(bench.NoFault)
	chip := &bench.MLX90614{Addr: 0x5A, Scene: func(time.Time) bench.Scene {
		return bench.Scene{Object: 36_600, Ambient: 24_000, Fault: r.fault.Load().(bench.Fault)}
	}}
	r.bench = bench.NewBus(map[uint16]bench.Chip{0x5A: chip})
	bus := NewBus(func() (i2c.BusCloser, error) { return lasting{r.bench}, nil })
	r.Thermometer = NewThermometer(MLX90614{Bus: bus, Addr: 0x5A})
	return r
}

func TestEveryFaultIsSaidAndPasses(t *testing.T) {
	for _, c := range []struct {
		fault bench.Fault
		want  string
	}{
		{bench.NoAck, "mlx90614: read 0x06: no answer: bench: remote I/O error"},
		{bench.BadPEC, "mlx90614: read 0x06: packet error code "},
		{bench.ErrorFlag, "mlx90614: read 0x06: error flag set"},
		{bench.Slow, "mlx90614@5a: not measured within 500ms: mlx90614: read 0x0"},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig()
				if _, err := r.Identify(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				r.fault.Store(c.fault)
				begun := time.Now()
				m, err := r.Skin(t.Context())
				if err == nil || !strings.HasPrefix(err.Error(), c.want) {
					t.Errorf("got %v, want %s", err, c.want)
				}
				if want := (gatehouse.Measurement{Quality: gatehouse.Faulty, Sensor: "mlx90614@5a"}); m != want {
					t.Errorf("got %+v, want %+v", m, want)
				}
				if took := time.Since(begun); took > r.Limit {
					t.Errorf("took %v, more than its limit", took)
				}
				r.fault.Store(bench.NoFault)
				time.Sleep(time.Second)
				if m, err := r.Skin(t.Context()); err != nil || m.Quality != gatehouse.Steady || m.Skin != 36_600+10 {
					t.Errorf("mended: got %+v %v, want 36.61 (in steps of 0.02 K), steady", m, err)
				}
			})
		})
	}
}

func TestADeadSensorAddsNoMoreThanItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		r.bench.Stick()
		before := runtime.NumGoroutine()
		for range 20 {
			begun := time.Now()
			m, err := r.Skin(t.Context())
			if err == nil || !errors.Is(err, context.DeadlineExceeded) && !strings.Contains(err.Error(), "bus is stuck") {
				t.Fatalf("got %v, want a limit that passed", err)
			}
			if m.Quality != gatehouse.Faulty {
				t.Fatalf("got %v, want a fault", m.Quality)
			}
			if took := time.Since(begun); took > 500*time.Millisecond {
				t.Fatalf("took %v", took)
			}
			if left := runtime.NumGoroutine() - before; left > 1 {
				t.Fatalf("%d goroutines are left behind, want at most one", left)
			}
		}
		r.bench.Free()
		time.Sleep(time.Second)
		if m, err := r.Skin(t.Context()); err != nil || m.Quality != gatehouse.Steady {
			t.Errorf("freed: got %+v %v, want it steady", m, err)
		}
	})
}

func TestADeadSensorDoesNotHoldItsNeighbour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		see := func(time.Time) bench.Scene { return bench.Scene{Object: 36_600, Ambient: 24_000} }
		wire := bench.NewBus(map[uint16]bench.Chip{0x5A: &bench.MLX90614{Addr: 0x5A, Scene: see}})
		bus := NewBus(func() (i2c.BusCloser, error) { return lasting{wire}, nil })
		living, dead := NewThermometer(MLX90614{Bus: bus, Addr: 0x5A}), NewThermometer(MLX90614{Bus: bus, Addr: 0x5B})
		for range 3 {
			if m, err := dead.Skin(t.Context()); err == nil || m.Sensor != "mlx90614@5b" || m.Quality != gatehouse.Faulty {
				t.Fatalf("dead: got %+v %v", m, err)
			}
			if m, err := living.Skin(t.Context()); err != nil || m.Quality != gatehouse.Steady || m.Sensor != "mlx90614@5a" {
				t.Fatalf("living: got %+v %v", m, err)
			}
		}
	})
}

func TestReadingsRightAfterPowerAreNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		begun := time.Now()
		if _, err := r.Skin(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != 450*time.Millisecond {
			t.Errorf("first measurement: took %v, want 250 ms of warm-up and four intervals", took)
		}
		begun = time.Now()
		if _, err := r.Skin(t.Context()); err != nil || time.Since(begun) != 200*time.Millisecond {
			t.Errorf("second: got %v after %v, want four intervals", err, time.Since(begun))
		}
		// The plug is pulled and put back: warm-up begins again.
		time.Sleep(time.Hour)
		r.fault.Store(bench.NoAck)
		if _, err := r.Skin(t.Context()); !errors.Is(err, errSilent) {
			t.Errorf("pulled: got %v, want silence", err)
		}
		r.fault.Store(bench.NoFault)
		r.WarmUp = time.Minute
		if m, err := r.Skin(t.Context()); !errors.Is(err, ErrWarmingUp) || m.Quality != gatehouse.Faulty {
			t.Errorf("put back: got %+v %v, want %v", m, err, ErrWarmingUp)
		}
		time.Sleep(time.Minute)
		if m, err := r.Skin(t.Context()); err != nil || m.Quality != gatehouse.Steady {
			t.Errorf("warm: got %+v %v", m, err)
		}
	})
}

func TestTheCallersEndIsTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		if _, err := r.Identify(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
		defer cancel()
		begun := time.Now()
		_, err := r.Skin(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "500ms") {
			t.Errorf("got %v, want the caller's deadline, not ours", err)
		}
		if took := time.Since(begun); took > 120*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

func TestAnUnpluggedAdapterIsOpenedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		see := func(time.Time) bench.Scene { return bench.Scene{Object: 36_600, Ambient: 24_000} }
		chips := map[uint16]bench.Chip{0x5A: &bench.MLX90614{Addr: 0x5A, Scene: see}}
		wire, opened, gone := bench.NewBus(chips), 0, false
		bus := NewBus(func() (i2c.BusCloser, error) {
			if gone {
				return nil, errors.New("no bus /dev/i2c-1")
			}
			opened++
			return wire, nil
		})
		thermometer := NewThermometer(MLX90614{Bus: bus, Addr: 0x5A})
		if _, err := thermometer.Skin(t.Context()); err != nil {
			t.Fatal(err)
		}
		_ = wire.Close() // unplugged: the descriptor is dead
		gone = true
		for range 3 {
			if _, err := thermometer.Skin(t.Context()); err == nil {
				t.Fatal("a dead descriptor measured")
			}
		}
		if _, err := thermometer.Skin(t.Context()); err == nil || !strings.Contains(err.Error(), "no bus /dev/i2c-1") {
			t.Errorf("unplugged: got %v, want what open says", err)
		}
		wire, gone = bench.NewBus(chips), false
		if m, err := thermometer.Skin(t.Context()); err != nil || m.Quality != gatehouse.Steady {
			t.Errorf("plugged in: got %+v %v", m, err)
		}
		if opened != 2 {
			t.Errorf("opened %d times, want 2", opened)
		}
	})
}

func TestAClosedBusAnswersNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		bus := r.Chip.(MLX90614).Bus
		if _, err := bus.Tx(t.Context(), 0x5A, []byte{7}, 3); err != nil {
			t.Fatal(err)
		}
		r.bench.Stick()
		limited, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := bus.Tx(limited, 0x5A, []byte{7}, 3); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stuck: got %v", err)
		}
		if err := bus.Close(); err == nil || !strings.Contains(err.Error(), "hangs") {
			t.Errorf("close while it hangs: got %v, want it said", err)
		}
		r.bench.Free()
		if err := bus.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if _, err := bus.Tx(t.Context(), 0x5A, []byte{7}, 3); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("after close: got %v", err)
		}
	})
}
