package scanner

import (
	"slices"
	"testing"

	"gatehouse/scanner/qr"
)

// held makes the frames of a code that is shown from one time to another, ten a second.
func held(from, to int, hints ...qr.Hint) (shots []shot) {
	for at := from; at < to; at += 100 {
		shots = append(shots, shot{at: at, hint: hints[len(shots)%len(hints)]})
	}
	return shots
}

func TestCodeThatCannotBeReadForAWhileGivesOneHint(t *testing.T) {
	for _, c := range []struct {
		name  string
		shots []shot
		want  []string
	}{
		{"held too far away", held(0, 3000, qr.HintTooFar), []string{"too-far@700ms"}},
		{"on its way into view", held(0, 600, qr.HintBlurred), nil},
		{"nothing in view", held(0, 9000, qr.HintNone), nil},
		{"lost for a frame now and then", held(0, 1500, qr.HintGlare, qr.HintNone), []string{"glare@800ms"}},
		{"in one way and another", held(0, 1500, qr.HintTilted, qr.HintBlurred), []string{"blurred@700ms"}},
		{"said again only after a pause", held(0, 5000, qr.HintTooDark), []string{"too-dark@700ms", "too-dark@3.7s"}},
		{"gone and come back", append(held(0, 500, qr.HintCutOff), append(held(500, 1200, qr.HintNone), held(1200, 1700, qr.HintCutOff)...)...), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if told := watch(t, 0, c.shots...); !slices.Equal(told, c.want) {
				t.Errorf("told %v, want %v", told, c.want)
			}
		})
	}
}

func TestPhoneThatIsTakenAwayGivesNoHint(t *testing.T) {
	shots := append([]shot{{at: 0, texts: "RHC1"}}, held(100, 1500, qr.HintBlurred)...)
	if told := watch(t, 0, shots...); !slices.Equal(told, []string{"RHC1@0s"}) {
		t.Errorf("told %v, want the code alone", told)
	}
}
