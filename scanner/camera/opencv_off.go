//go:build !opencv

package camera

import "errors"

func openOpenCV(spec) (Source, error) {
	return nil, errors.New("this program was built without OpenCV: install libopencv-dev and build with CGO_ENABLED=1 go build -tags opencv")
}
