package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSQLiteVersionsThatCorruptAreRefused(t *testing.T) {
	for version, sound := range map[string]bool{
		"3.54.1": true, "3.51.3": true, "4.0.0": true,
		"3.51.2": false, "3.51": false, "3.46.0": false, "3.7.0": false, "3.x.1": false, "": false,
	} {
		if err := soundVersion(version); (err == nil) != sound {
			t.Errorf("version %q: %v", version, err)
		}
	}
}

func TestOpenLogRefusesFilesThatAreNotItsBook(t *testing.T) {
	make := func(statement string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			l := openLog(t, path)
			if _, err := l.writer.Exec(statement); err != nil {
				t.Fatal(err)
			}
			l.Close()
		}
	}
	for _, test := range []struct {
		name, want string
		prepare    func(t *testing.T, path string)
	}{
		{"newer", "newer than this program", make(`PRAGMA user_version = 99`)},
		{"another gate's", `book of gate "hall-west", not of "hall-east"`, make(`UPDATE book SET gate = 'hall-west'`)},
		{"damaged epoch", "CHECK constraint|blob of", make(`PRAGMA ignore_check_constraints = 1; UPDATE book SET epoch = x'00'`)},
		{"ledger", "not a gate's book", func(t *testing.T, path string) {
			l, err := OpenLedger(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
		}},
		{"somebody's database", "not a gate's book: 1 tables", make(`
			PRAGMA application_id = 0; PRAGMA user_version = 0; DROP TABLE floor; DROP TABLE book; DROP TABLE outbox; DROP TABLE passage;
			CREATE TABLE songs (title TEXT)`)},
		{"no database", "not a database", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("once upon a time ", 300)), 0o600); err != nil {
				t.Fatal(err)
			}
		}},
		{"no folder", "no such file", func(t *testing.T, path string) { os.Remove(filepath.Dir(path)) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "folder", "book.db")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			test.prepare(t, path)
			l, err := OpenLog(t.Context(), path, "hall-east")
			if err == nil {
				l.Close()
				t.Fatal("opened")
			}
			found := false
			for want := range strings.SplitSeq(test.want, "|") {
				found = found || strings.Contains(err.Error(), want)
			}
			if !found {
				t.Errorf("error %q, want %q in it", err, test.want)
			}
		})
	}
	if l, err := OpenLog(t.Context(), filepath.Join(t.TempDir(), "book.db"), "a/b"); err == nil {
		l.Close()
		t.Error("opened a book for a gate named a/b")
	}
	if r, err := OpenReader(t.Context(), filepath.Join(t.TempDir(), "none.db")); err == nil {
		r.Close()
		t.Error("a reader opened a book that is not there")
	}
}

func TestBookIsNotForStrangers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "book.db")
	l := openLog(t, path)
	record(t, l, 1)
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode()&0o007 != 0 {
			t.Errorf("%s is %v", filepath.Base(name), info.Mode())
		}
	}
}

func TestDurabilityPragmasAreInForce(t *testing.T) {
	l := openLog(t, filepath.Join(t.TempDir(), "book.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "mmap_size": "0", "busy_timeout": "5000"} {
		var got string
		if err := l.writer.QueryRow(`PRAGMA ` + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", pragma, got, err, want)
		}
	}
}
