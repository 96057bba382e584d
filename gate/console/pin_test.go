package console

import (
	"strings"
	"testing"
)

func TestAHashAcceptsItsPINAlone(t *testing.T) {
	hash := HashPIN("2468")
	if !CheckPIN(hash, "2468") {
		t.Errorf("%s does not accept its own PIN", hash)
	}
	if HashPIN("2468") == hash {
		t.Error("two hashes of one PIN are equal: no salt")
	}
	short, long := HashPIN("246"), HashPIN(strings.Repeat("2", 65))
	good := testPIN("2468")
	for _, tt := range []struct{ hash, pin string }{
		{good, "2469"}, {good, ""}, {good, "24680"}, {short, "246"}, {long, strings.Repeat("2", 65)},
		{"", "2468"}, {"2468", "2468"}, {"$$$", "2468"},
		{strings.Replace(good, "sha256", "sha1", 1), "2468"},
		{strings.Replace(good, "$10$", "$0$", 1), "2468"},
		{strings.Replace(good, "$10$", "$-10$", 1), "2468"},
		{strings.Replace(good, "$10$", "$99999999$", 1), "2468"},
		{strings.Replace(good, "$10$", "$99999999999999999999$", 1), "2468"},
		{good + "$", "2468"}, {good[:len(good)-2], "2468"}, {good + strings.Repeat("A", 256), "2468"},
	} {
		if CheckPIN(tt.hash, tt.pin) {
			t.Errorf("hash %.60q accepts %q", tt.hash, tt.pin)
		}
	}
}

// FuzzCheckPIN holds that no line lets a PIN in that it was not made of, and none panics.
func FuzzCheckPIN(f *testing.F) {
	good := testPIN("2468")
	for _, hash := range []string{good, "", "pbkdf2-sha256$1$$", strings.Replace(good, "$10$", "$1e3$", 1), good + "\n"} {
		f.Add(hash)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		parts := strings.Split(hash, "$")
		if len(parts) > 1 && len(parts[1]) > 3 {
			return // thousands of rounds are slow, not wrong
		}
		if CheckPIN(hash, "1357") {
			t.Errorf("%q accepts 1357", hash)
		}
	})
}
