package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse"
	"gatehouse/cmd/daemon"
	"gatehouse/credential"
	"gatehouse/store"
	"gatehouse/sync/region/issuing"
)

// An issuingPart is the part of a region that gives codes, with what it stands on.
type issuingPart struct {
	desk    *issuing.Desk
	people  *store.People
	folders []*issuing.Folder
	handler http.Handler
	logger  *slog.Logger
}

// openIssuing opens all that giving codes needs. A file of people whose audit trail was
// altered is an error: the region must not go on as if nothing had been.
func openIssuing(ctx context.Context, conf issuingConfig, region gatehouse.Issuer, logger *slog.Logger) (*issuingPart, error) {
	signer, err := newCodeSigner(conf.Signer)
	if err != nil {
		return nil, err
	}
	rules, err := daemon.ReadFile(conf.Rules, 1<<20)
	if err != nil {
		return nil, err
	}
	secret, err := secretOf(conf.Secret, conf.People)
	if err != nil {
		return nil, err
	}
	people, err := store.OpenPeople(ctx, conf.People)
	if err != nil {
		return nil, err
	}
	desk := &issuing.Desk{Store: people, Signer: signer, Secret: secret, Now: time.Now, Logger: logger}
	if err := desk.Adopt(ctx, rules); err != nil {
		people.Close()
		return nil, fmt.Errorf("%s: %w", conf.Rules, err)
	}
	if of := desk.Rules().Region; of != region {
		people.Close()
		return nil, fmt.Errorf("%s: rules of %s, this is %s", conf.Rules, of, region)
	}
	desk.Verifier = credential.Verifier{Keys: ringOf(conf.Foreign, signer, region), Revoked: takenBack{people}}
	operators := make([]issuing.Operator, len(conf.Operators))
	for i, o := range conf.Operators {
		operators[i] = issuing.Operator{Name: o.Name, Role: issuing.Role(o.Role), Hash: o.Token}
	}
	p := &issuingPart{desk: desk, people: people, logger: logger}
	for _, s := range conf.Sources {
		p.folders = append(p.folders, &issuing.Folder{Path: s.Folder, Source: s.Name})
	}
	p.handler = (&issuing.Server{Desk: desk, Door: issuing.NewDoor(operators, time.Now)}).Handler()
	return p, nil
}

// beside gives the routes of codes to this part, and all others to the rest of the region.
func (p *issuingPart) beside(rest http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", rest)
	for _, path := range []string{"/v1/codes/", "/v1/directory", "/people", "/people/"} {
		mux.Handle(path, p.handler)
	}
	return mux
}

// How often folders are looked at, and old rows erased.
const (
	pollEvery  = 10 * time.Second
	sweepEvery = time.Hour
)

// run looks after sources and retention until ctx ends.
func (p *issuingPart) run(ctx context.Context) {
	poll, sweep := time.NewTicker(pollEvery), time.NewTicker(sweepEvery)
	defer poll.Stop()
	defer sweep.Stop()
	p.sweep(ctx)
	for {
		p.poll(ctx)
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			p.sweep(ctx)
		case <-poll.C:
		}
	}
}

func (p *issuingPart) poll(ctx context.Context) {
	for _, f := range p.folders {
		if n, err := p.desk.Pull(ctx, f); err != nil && ctx.Err() == nil {
			p.logger.Warn("source", "name", f.Name(), "taken", n, "err", err)
		}
	}
}

func (p *issuingPart) sweep(ctx context.Context) {
	if _, err := p.desk.Sweep(ctx); err != nil && ctx.Err() == nil {
		p.logger.Error("sweep", "err", err)
	}
}

// secretOf reads the secret that persons are found under. It is made with the first file of
// people: beside an old one, a new secret would find nobody.
func secretOf(path, people string) ([]byte, error) {
	text, err := daemon.ReadFile(path, 1<<10)
	if errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(people); !errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s is missing, and %s is there: nobody in it would be found again", path, people)
		}
		fresh := make([]byte, 32)
		rand.Read(fresh) // never fails, by its own word
		text = []byte(hex.EncodeToString(fresh))
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		_, err = f.Write(text)
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return nil, err
		}
		return fresh, nil
	}
	if err != nil {
		return nil, err
	}
	secret, err := hex.DecodeString(string(text))
	if err != nil || len(secret) != 32 {
		return nil, fmt.Errorf("%s: want 64 hex digits and nothing else", path)
	}
	return secret, nil
}

// longestInput bounds what hash-token reads.
const longestInput = 1 << 10

// hashTokenCommand makes the line that an operator's settings hold.
func hashTokenCommand() *cobra.Command {
	return &cobra.Command{
		Use: "hash-token", Short: "Make the line that the settings hold in place of an operator's token",
		Long: "hash-token reads a token of 16 to 128 bytes from its input and prints its argon2id hash for [[issuing.operator]]. `openssl rand -hex 16` makes a good token.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			b, err := io.ReadAll(io.LimitReader(c.InOrStdin(), longestInput))
			if err != nil {
				return err
			}
			token := strings.TrimRight(string(b), "\r\n")
			if !issuing.SoundToken(token) {
				return daemon.UsageError{Err: errors.New("a token has 16 to 128 bytes")}
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), issuing.HashToken(token))
			return err
		},
	}
}
