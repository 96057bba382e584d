// Package sensors measures foreheads and moves barriers: it drives the thermometers,
// relays, lights and buzzers that are wired to the board.
//
// It judges nobody. What it gives of a person is the raw temperature of a surface, with
// a word on how far it can be relied on; what that means is the region's policy.
package sensors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"gatehouse"
)

// A Chip is one infrared thermometer. Its errors begin with its name.
type Chip interface {
	fmt.Stringer // chip and address: "mlx90614@5a"

	// Identify makes sure that this kind of chip answers, and describes it in a line.
	Identify(ctx context.Context) (string, error)

	// Read gives one reading; one that is not plausible is an error.
	Read(ctx context.Context) (object, ambient gatehouse.Temperature, err error)
}

// ErrWarmingUp is what Skin says of a chip that has power again for a moment only.
var ErrWarmingUp = errors.New("warming up after power came back")

// A Thermometer measures one forehead out of several readings. With no chip it measures
// nobody, and that is no fault.
//
// What it gives is the surface as the sensor sees it, at the emissivity that the chip is
// set to. A forehead is colder than the body, by more in the cold: to make up for that is
// not done here.
type Thermometer struct {
	Chip     Chip
	Readings int                   // good readings that make a measurement
	Tries    int                   // readings taken at most to get there
	Interval time.Duration         // between readings
	Spread   gatehouse.Temperature // between the highest and the lowest of a steady measurement
	Limit    time.Duration         // of one measurement, whatever the bus does
	WarmUp   time.Duration         // after the chip is first heard, or heard again

	bus io.Closer // closed with the thermometer; nil when somebody else does

	mu    sync.Mutex
	heard time.Time // when the chip was first heard since it was last silent; zero while silent
}

// NewThermometer gives a thermometer as gates use it: five good readings of at most nine,
// 50 ms apart and 0.3 K from each other at most, in half a second.
func NewThermometer(chip Chip) *Thermometer {
	return &Thermometer{
		Chip:     chip,
		Readings: 5,
		Tries:    9,
		Interval: 50 * time.Millisecond,
		Spread:   300,
		Limit:    500 * time.Millisecond,
		WarmUp:   250 * time.Millisecond, // valid data after power-on reset, MLX90614 datasheet 7
	}
}

type reading struct{ object, ambient gatehouse.Temperature }

// Skin measures whoever is there. A measurement without an error is Steady, or Unsteady
// when the readings never agreed, or NotMeasured without a chip. An error comes with a
// Faulty measurement: the chip cannot be asked, answers wrongly, or warms up.
func (t *Thermometer) Skin(ctx context.Context) (gatehouse.Measurement, error) {
	if t.Chip == nil {
		return gatehouse.Measurement{}, nil
	}
	m := gatehouse.Measurement{Quality: gatehouse.Faulty, Sensor: t.Chip.String()}
	limited, cancel := context.WithTimeout(ctx, t.Limit)
	defer cancel()
	if err := t.ready(limited); err != nil {
		return m, t.explain(ctx, limited, err)
	}
	good, steady, err := t.collect(limited)
	if len(good) < t.Readings {
		if len(good) == 0 && errors.Is(err, errSilent) {
			t.silent()
		}
		return m, fmt.Errorf("%w (%d good readings, %d needed)", t.explain(ctx, limited, err), len(good), t.Readings)
	}
	last := good[len(good)-t.Readings:]
	m.Skin = median(last, func(r reading) gatehouse.Temperature { return r.object })
	m.Ambient = median(last, func(r reading) gatehouse.Temperature { return r.ambient })
	m.Readings = len(last)
	m.Quality = gatehouse.Unsteady
	if steady {
		m.Quality = gatehouse.Steady
	}
	return m, nil
}

// Identify asks the chip who it is, and gives a line for the log. A gate starts without
// its thermometer all the same: Skin asks again until there is an answer.
func (t *Thermometer) Identify(ctx context.Context) (string, error) {
	if t.Chip == nil {
		return "no thermometer", nil
	}
	limited, cancel := context.WithTimeout(ctx, t.Limit)
	defer cancel()
	who, err := t.Chip.Identify(limited)
	if err != nil {
		return "", t.explain(ctx, limited, err)
	}
	t.hear()
	return who, nil
}

// Close gives the chip's bus up.
func (t *Thermometer) Close() error {
	if t.bus == nil {
		return nil
	}
	return t.bus.Close()
}

// ready makes sure that the chip is the one it was: after a silence it may have lost its
// power, or have been replaced. What it reads is not valid right after that.
func (t *Thermometer) ready(ctx context.Context) error {
	t.mu.Lock()
	heard := t.heard
	t.mu.Unlock()
	if heard.IsZero() {
		if _, err := t.Chip.Identify(ctx); err != nil {
			return err
		}
		heard = t.hear()
	}
	left := t.WarmUp - time.Since(heard)
	if left <= 0 {
		return nil
	}
	// Nobody is sent to staff for a wait that fits into this measurement.
	needed := left + time.Duration(t.Readings-1)*t.Interval
	if end, ok := ctx.Deadline(); ok && time.Until(end) < needed {
		return fmt.Errorf("%s: %w, for another %v", t.Chip, ErrWarmingUp, left)
	}
	if !wait(ctx, left) {
		return fmt.Errorf("%s: %w: %w", t.Chip, ErrWarmingUp, ctx.Err())
	}
	return nil
}

// collect takes readings until the last few agree, or the tries or the time are used up.
// The error is that of the last reading that was not good.
func (t *Thermometer) collect(ctx context.Context) (good []reading, steady bool, err error) {
	for try := range t.Tries {
		if try > 0 && !wait(ctx, t.Interval) {
			if err == nil {
				err = fmt.Errorf("%s: %w", t.Chip, ctx.Err())
			}
			return good, false, err
		}
		object, ambient, readErr := t.Chip.Read(ctx)
		if readErr != nil {
			err = readErr
			if len(good)+t.Tries-try-1 < t.Readings {
				return good, false, err // the tries that are left cannot mend it
			}
			continue
		}
		good = append(good, reading{object, ambient})
		if n := len(good) - t.Readings; n >= 0 && spread(good[n:]) <= t.Spread {
			return good, true, nil
		}
	}
	return good, false, err
}

// explain tells a limit of ours that has passed from one of the caller's.
func (t *Thermometer) explain(ctx, limited context.Context, err error) error {
	if limited.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: not measured within %v: %w", t.Chip, t.Limit, err)
	}
	return err
}

// hear notes that the chip answers, and gives the time since when it does.
func (t *Thermometer) hear() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.heard.IsZero() {
		t.heard = time.Now()
	}
	return t.heard
}

// silent notes that the chip does not answer any more.
func (t *Thermometer) silent() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heard = time.Time{}
}

func spread(rs []reading) gatehouse.Temperature {
	low, high := rs[0].object, rs[0].object
	for _, r := range rs {
		low, high = min(low, r.object), max(high, r.object)
	}
	return high - low
}

// median gives the middle one, the lower of two: a measurement was read, not computed.
func median(rs []reading, of func(reading) gatehouse.Temperature) gatehouse.Temperature {
	ts := make([]gatehouse.Temperature, len(rs))
	for i, r := range rs {
		ts[i] = of(r)
	}
	slices.Sort(ts)
	return ts[(len(ts)-1)/2]
}

// wait returns false when ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
