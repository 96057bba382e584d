//go:build !opencv

package camera

import (
	"strings"
	"testing"
)

func TestOpenCVThatWasLeftOutSaysHowToGetIt(t *testing.T) {
	if _, err := Open("opencv:0"); err == nil || !strings.Contains(err.Error(), "-tags opencv") {
		t.Errorf("got %v", err)
	}
}
