package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/scanner/camera"
	"gatehouse/scanner/qr"
)

// vectors is where test data by others lies, or a reason to leave the test out.
func vectors(t *testing.T, folder string) string {
	t.Helper()
	root := os.Getenv("GATEHOUSE_VECTORS")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "vectors")
	}
	path := filepath.Join(root, folder)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no vectors: %v", err)
		}
		t.Skipf("left out, no vectors: %v (set GATEHOUSE_VECTORS)", err)
	}
	return path
}

// The pictures of the normative vectors: those that must be read give the very text, the
// one that cannot be read gives none. With the 37 that credential judges from text, that
// makes the 38.
func TestNormativePicturesAreReadAsTheyExpect(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectors(t, "eu-dcc"), "common", "2DCode", "raw", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	passed, failed := 0, 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Prefix   string `json:"PREFIX"`
			Picture  string `json:"2DCODE"`
			Expected struct {
				Picture *bool `json:"EXPECTEDPICTUREDECODE"`
			} `json:"EXPECTEDRESULTS"`
		}
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if v.Picture == "" || v.Expected.Picture == nil {
			continue
		}
		image, err := base64.StdEncoding.DecodeString(v.Picture)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var texts []string
		luma, err := camera.ReadImage(bytes.NewReader(image))
		if err == nil {
			for _, code := range (&qr.Reader{}).Read(luma) {
				texts = append(texts, code.Value)
			}
		}
		if read := len(texts) == 1 && texts[0] == v.Prefix; read != *v.Expected.Picture {
			failed++
			t.Errorf("%s: read %q (%v), expected to be readable: %v", strings.TrimSuffix(filepath.Base(file), ".json"), texts, err, *v.Expected.Picture)
			continue
		}
		passed++
	}
	t.Logf("eu-dcc/common pictures: %d passed, %d failed", passed, failed)
	if passed == 0 {
		t.Error("no picture was looked at")
	}
}
