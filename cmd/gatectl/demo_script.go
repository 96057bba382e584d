package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
)

// Both scripts have the same times, so that camera and thermometer see the same person.
type times struct {
	ShowMS int64 `json:"show_ms"`
	GapMS  int64 `json:"gap_ms"`
}

type cameraLine struct {
	Texts  []string `json:"texts"`
	Effect string   `json:"effect,omitempty"`
	times
}

type thermometerLine struct {
	Skin  int    `json:"skin"`
	Fault string `json:"fault,omitempty"`
	times
}

// writeScripts writes the queue as the simulated camera and thermometer read it.
func writeScripts(dir string, people []person) error {
	var camera, thermometer bytes.Buffer
	t := times{ShowMS: showFor.Milliseconds(), GapMS: gapFor.Milliseconds()}
	for _, p := range people {
		if err := json.NewEncoder(&camera).Encode(cameraLine{p.texts, p.effect, t}); err != nil {
			return err
		}
		if err := json.NewEncoder(&thermometer).Encode(thermometerLine{p.skin, p.fault, t}); err != nil {
			return err
		}
	}
	if err := writeNew(filepath.Join(dir, "camera.jsonl"), camera.Bytes()); err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, "thermometer.jsonl"), thermometer.Bytes())
}
