package uplink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse"
)

// TestEveryPassageArrivesOnce runs two gates for half a virtual day over a network that
// does everything a network does, to a region that is restored from backups, and then
// compares what the region holds with what the gates wrote.
func TestEveryPassageArrivesOnce(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			region := newRegion()
			network := &lossy{region: region, random: rand.New(rand.NewPCG(seed, 4))}
			gates := map[string]*fakeBook{"hall-east": newBook(0), "hall-west": newBook(random.IntN(300))}
			ctx, cancel := context.WithCancel(t.Context())
			var wg sync.WaitGroup
			for _, name := range []string{"hall-east", "hall-west"} { // a map's order would not be the seed's
				u := linkOf(gates[name], network.roundTrip)
				u.Gate, u.Rows, u.Rand = name, 1+random.IntN(40), rand.New(rand.NewPCG(seed, 2)).Float64
				visits := rand.New(rand.NewPCG(seed, 3))
				wg.Go(func() { u.Run(ctx) })
				wg.Go(func() {
					for range 60 {
						time.Sleep(time.Duration(visits.Int64N(int64(12 * time.Minute))))
						gates[name].record()
						u.Wake()
					}
				})
			}
			for range 3 {
				time.Sleep(time.Duration(random.Int64N(int64(2 * time.Hour))))
				network.restore()
			}
			time.Sleep(12 * time.Hour)
			network.heal()
			for name := range gates { // a row after the last backup makes a lost one show
				gates[name].record()
			}
			time.Sleep(time.Hour)
			cancel()
			wg.Wait()
			for name, book := range gates {
				got := region.book(name)
				if book.marked() != len(book.rows) || !slices.Equal(got.hashes, book.hashes) {
					t.Errorf("seed %d: gate %s wrote %d rows, mark %d; the region has %d", seed, name, len(book.rows), book.marked(), len(got.rows))
				}
			}
			if len(network.faults) == 0 {
				t.Errorf("seed %d: the network had no fault", seed)
			}
		})
	}
}

// A lossy network between gates and a region.
type lossy struct {
	region *fakeRegion

	mu     sync.Mutex
	random *rand.Rand
	healed bool
	held   [][2]string // path and body of a batch that comes again later
	faults map[int]int
}

func (l *lossy) roll() (fault int, delay time.Duration, at float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.healed {
		return -1, 0, 0
	}
	fault = l.random.IntN(12)
	if l.faults == nil {
		l.faults = map[int]int{}
	}
	l.faults[fault]++
	return fault, time.Duration(l.random.Int64N(int64(90 * time.Second))), l.random.Float64()
}

func (l *lossy) roundTrip(r *http.Request, body []byte) (*http.Response, error) {
	fault, delay, at := l.roll()
	switch fault {
	case 0:
		return nil, errors.New("connection refused")
	case 1: // the answer is lost after the commit
		l.region.serve(r.URL.Path, body)
		return nil, io.ErrUnexpectedEOF
	case 2: // the line goes dead within the batch: the region sees a part of it
		l.region.serve(r.URL.Path, body[:int(at*float64(len(body)))])
		return nil, errors.New("connection reset by peer")
	case 3: // sent twice by something in between
		l.region.serve(r.URL.Path, body)
	case 4:
		a := answer(http.StatusServiceUnavailable, "later")
		a.Header.Set("Retry-After", "20")
		return a, nil
	case 5: // slow, perhaps too slow
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	case 6: // the answer ends within
		a := l.region.serve(r.URL.Path, body)
		text, _ := io.ReadAll(a.Body)
		a.Body = io.NopCloser(strings.NewReader(string(text[:int(at*float64(len(text)))])))
		return a, nil
	case 7: // kept back and delivered long after
		l.mu.Lock()
		l.held = append(l.held, [2]string{r.URL.Path, string(body)})
		l.mu.Unlock()
		return nil, errors.New("no route to host")
	case 8: // something old comes out of the network first
		l.mu.Lock()
		held := l.held
		l.held = nil
		l.mu.Unlock()
		for _, old := range held {
			l.region.serve(old[0], []byte(old[1]))
		}
	case 9: // a proxy has its own opinion
		return answer(http.StatusOK, "<html>Welcome to our free Wi-Fi</html>"), nil
	}
	return l.region.serve(r.URL.Path, body), nil
}

// restore brings the region back to an earlier day.
func (l *lossy) restore() {
	for _, gate := range []string{"hall-east", "hall-west"} {
		n := l.region.has(gate)
		l.mu.Lock()
		back := l.random.IntN(n + 1)
		l.mu.Unlock()
		l.region.restore(gate, n-back)
	}
}

func (l *lossy) heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.healed = true
}

func TestFlushEmptiesTheBookInBatches(t *testing.T) {
	book, region := newBook(25), newRegion()
	u := linkOf(book, direct(region))
	u.Rows = 10
	if err := u.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"hall-east 1-10", "hall-east 11-20", "hall-east 21-25"}
	if !slices.Equal(region.taken, want) || book.mark != 25 {
		t.Errorf("sent %q, mark %d; want %q, 25", region.taken, book.mark, want)
	}
	if s := u.State(t.Context()); s.Queue != 0 || s.Error != "" || s.Success.IsZero() {
		t.Errorf("state %+v", s)
	}
	if err := u.Flush(t.Context()); err != nil || len(region.taken) != 3 {
		t.Errorf("with nothing to do: %v, %q", err, region.taken)
	}
}

func TestConflictMovesTheMarkToWhereTheRegionIs(t *testing.T) {
	for _, test := range []struct {
		name         string
		region, mark int
	}{
		{"region restored from a backup", 3, 8},
		{"region empty", 0, 10},
		{"mark behind after a lost answer", 8, 2},
		{"all there, mark lost", 10, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			book, region := newBook(10), newRegion()
			u := linkOf(book, direct(region))
			if err := u.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			region.restore("hall-east", test.region)
			book.record()
			book.mark = gatehouse.Seq(test.mark)
			u.Rows = 4
			if err := u.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if book.mark != 11 || !slices.Equal(region.book("hall-east").hashes, book.hashes) {
				t.Errorf("mark %d, region has %d rows, want 11 and the book", book.mark, region.has("hall-east"))
			}
		})
	}
}

func TestForkAcknowledgesNothing(t *testing.T) {
	other := newBook(0)
	other.rows = [][]byte{[]byte("another card's row")}
	other.hashes = append(other.hashes, link(other.hashes[0], other.rows[0]))
	hash := fmt.Sprintf("%x", other.hashes[1])
	for name, network := range map[string]roundTrip{
		"the region says so": func(*http.Request, []byte) (*http.Response, error) {
			return answer(http.StatusConflict, `{"through":1,"hash":"`+hash+`","error":"fork"}`), nil
		},
		"the region asks for rows after another chain": func(*http.Request, []byte) (*http.Response, error) {
			return answer(http.StatusConflict, `{"through":1,"hash":"`+hash+`","error":"gap"}`), nil
		},
		"the region accepts, with another hash": func(*http.Request, []byte) (*http.Response, error) {
			return answer(http.StatusOK, `{"through":5,"hash":"`+hash+`"}`), nil
		},
		"the region has more rows than this card": func(*http.Request, []byte) (*http.Response, error) {
			return answer(http.StatusOK, `{"through":6,"hash":"`+hash+`"}`), nil
		},
	} {
		book := newBook(5)
		u := linkOf(book, network)
		if err := u.Flush(t.Context()); !errors.Is(err, ErrFork) || book.mark != 0 {
			t.Errorf("%s: %v, mark %d; want ErrFork, 0", name, err, book.mark)
		}
		if s := u.State(t.Context()); !s.Fork || s.Error == "" || s.Queue != 5 {
			t.Errorf("%s: state %+v", name, s)
		}
	}
}

func TestAnswerThatIsNoneAcknowledgesNothing(t *testing.T) {
	zeros := strings.Repeat("00", 32)
	for name, a := range map[string]*http.Response{
		"wrong page":            answer(200, "<html>"),
		"empty":                 answer(200, ""),
		"accepted a part":       answer(200, `{"through":2,"hash":"`+zeros+`"}`),
		"yes with a no":         answer(200, `{"through":5,"hash":"`+zeros+`","error":"gap"}`),
		"no without a reason":   answer(409, `{"through":5,"hash":"`+zeros+`"}`),
		"no for another reason": answer(409, `{"through":5,"hash":"`+zeros+`","error":"tired"}`),
		"unauthorized":          answer(401, `{"error":"no known gate signed this batch"}`),
		"redirected":            answer(307, ""),
		"without end":           {StatusCode: 200, Body: io.NopCloser(endless{})},
		"trouble without end":   {StatusCode: 500, Body: io.NopCloser(endless{})},
	} {
		book := newBook(5)
		u := linkOf(book, func(*http.Request, []byte) (*http.Response, error) { return a, nil })
		if err := u.Flush(t.Context()); err == nil || errors.Is(err, ErrFork) || book.mark != 0 || len(err.Error()) > 500 {
			t.Errorf("%s: %v, mark %d; want an error, 0", name, err, book.mark)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '{'
	}
	return len(p), nil
}

func TestRegionThatNeverTakesWhatItAsksForIsLeftAlone(t *testing.T) {
	book := newBook(9)
	asked := 0
	u := linkOf(book, func(*http.Request, []byte) (*http.Response, error) {
		asked++
		through := asked % 2 * 4 // now after row 4, now after row 0
		return answer(409, fmt.Sprintf(`{"through":%d,"hash":"%x","error":"gap"}`, through, book.hashes[through])), nil
	})
	if err := u.Flush(t.Context()); err == nil || asked != mostGaps+1 {
		t.Errorf("%v after %d requests, want an error after %d", err, asked, mostGaps+1)
	}
}

func TestOnlyThisMachineIsReachedWithoutTLS(t *testing.T) {
	for url, ok := range map[string]bool{
		"https://region.example": true, "http://127.0.0.1:8080": true, "http://[::1]:8080/": true, "http://localhost": true,
		"http://region.example": false, "http://10.0.0.1": false, "ftp://region.example": false, "region.example": false, "": false,
	} {
		book, region := newBook(1), newRegion()
		u := linkOf(book, direct(region))
		u.URL = url
		if err := u.Flush(t.Context()); (err == nil) != ok || (region.batches() > 0) != ok {
			t.Errorf("%q: %v, %d batches", url, err, region.batches())
		}
	}
}

// An answer of another place, with the right hash even, is not the region's.
func TestNoRedirectionIsFollowed(t *testing.T) {
	book, elsewhere := newBook(3), newRegion()
	asked := 0
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		body, _ := io.ReadAll(r.Body)
		a := elsewhere.serve(r.URL.Path, body)
		w.WriteHeader(a.StatusCode)
		io.Copy(w, a.Body)
	}))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()
	u := linkOf(book, nil)
	u.Client, u.URL = nil, server.URL
	var status *StatusError
	if err := u.Flush(t.Context()); !errors.As(err, &status) || status.Code != http.StatusTemporaryRedirect || asked != 0 || book.mark != 0 {
		t.Errorf("%v, %d requests elsewhere, mark %d; want 307, none, 0", err, asked, book.mark)
	}
}

func TestBackOffGrowsAndNoWakeShortensIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, book := time.Now(), newBook(1)
		var at []time.Duration
		u := linkOf(book, func(*http.Request, []byte) (*http.Response, error) {
			at = append(at, time.Since(start))
			return nil, errors.New("connection refused")
		})
		u.MinWait, u.MaxWait, u.Rand = time.Second, 10*time.Second, func() float64 { return 0.5 }
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var waker sync.WaitGroup
		defer waker.Wait()
		waker.Go(func() {
			for ctx.Err() == nil {
				u.Wake()
				time.Sleep(100 * time.Millisecond)
			}
		})
		if err := u.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("run ends with %v", err)
		}
		// Half between 1 s and 2, 4, 8, 10, 10 s.
		want := []time.Duration{0, 1500, 4000, 8500, 14000, 19500, 25000}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(at, want) {
			t.Errorf("tried at %v, want %v", at, want)
		}
		if s := u.State(context.Background()); !strings.Contains(s.Error, "connection refused") || s.Queue != 1 {
			t.Errorf("state %+v", s)
		}
	})
}

func TestWakeSendsAtOnceAndBeatWithoutIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book, region := newBook(0), newRegion()
		u := linkOf(book, direct(region))
		u.Beat = time.Minute
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { u.Run(ctx); close(done) }()
		synctest.Wait()
		book.record()
		u.Wake()
		synctest.Wait() // no time passes
		if n := region.has("hall-east"); n != 1 {
			t.Errorf("after a wake the region has %d rows, want 1", n)
		}
		book.record()
		time.Sleep(59 * time.Second)
		if n := region.has("hall-east"); n != 1 {
			t.Errorf("before the beat the region has %d rows, want 1", n)
		}
		time.Sleep(2 * time.Second)
		if n := region.has("hall-east"); n != 2 {
			t.Errorf("after the beat the region has %d rows, want 2", n)
		}
		cancel()
		<-done
	})
}

func TestRetryAfterComesOnTopOfTheBackOff(t *testing.T) {
	u := &Uplink{Rand: func() float64 { return 0 }}
	busy := &StatusError{Code: http.StatusServiceUnavailable, RetryAfter: 40 * time.Second}
	if got, want := u.backOff(1, fmt.Errorf("rows: %w", busy)), 41*time.Second; got != want {
		t.Errorf("wait %v, want %v", got, want)
	}
	busy.RetryAfter = 1000 * time.Hour // nobody may silence a gate for weeks
	if got, want := u.backOff(1, busy), 10*time.Minute+time.Second; got != want {
		t.Errorf("wait %v, want %v", got, want)
	}
	if got, want := u.backOff(1, ErrFork), 5*time.Minute; got != want {
		t.Errorf("after a fork wait %v, want %v", got, want)
	}
	if got := u.backOff(1<<30, nil); got != time.Second {
		t.Errorf("the jitter's lower end is %v, want 1s", got)
	}
}

func TestBatchShrinksUntilItFitsTheLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book, region := newBook(1000), newRegion()
		var sizes []int
		u := linkOf(book, func(r *http.Request, body []byte) (*http.Response, error) {
			if len(body) > 1500 { // more does not get through in a minute
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			sizes = append(sizes, len(body))
			return region.serve(r.URL.Path, body), nil
		})
		for range 300 {
			if err := u.Flush(t.Context()); err == nil {
				break
			}
		}
		if got := region.has("hall-east"); got != 1000 || book.mark != 1000 {
			t.Errorf("the region has %d rows, mark %d, want 1000", got, book.mark)
		}
		if len(sizes) > 40 {
			t.Errorf("%d batches for what 12 could carry", len(sizes))
		}
	})
	u := &Uplink{}
	u.shrink(64, &StatusError{Code: http.StatusRequestEntityTooLarge})
	if got := u.rows(); got != 32 {
		t.Errorf("after 413: %d rows, want 32", got)
	}
	u.shrink(32, &StatusError{Code: http.StatusServiceUnavailable})
	u.shrink(32, errors.New("connection refused"))
	if got := u.rows(); got != 32 {
		t.Errorf("after other failures: %d rows, want 32", got)
	}
}

func TestBookThatFailsIsAnErrorAndNothingIsSent(t *testing.T) {
	region := newRegion()
	u := linkOf(brokenBook{newBook(3)}, direct(region))
	if err := u.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "disk I/O error") || region.batches() != 0 {
		t.Errorf("%v, %d batches", err, region.batches())
	}
}

type brokenBook struct{ *fakeBook }

func (brokenBook) Pending(context.Context, int) (s gatehouse.Seq, h [32]byte, rows [][]byte, err error) {
	return 0, h, nil, errors.New("pending: disk I/O error")
}

func TestNewClientWantsACertificate(t *testing.T) {
	if _, err := NewClient([]byte("not PEM"), nil); err == nil {
		t.Error("took no certificate for one")
	}
}
