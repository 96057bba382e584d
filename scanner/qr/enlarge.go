package qr

// Enlarging: edges between pixels come to lie on pixels, so that the run scan
// finds patterns of two pixels a module that it misses else. Small pictures,
// such as a code cut out of a page with a pixel a module and no margin, are
// read again at three times their size; of a frame, the region around a good
// finder that led to nothing, or what moves, at twice. What moves is sharpened,
// and its thresholds are means: blur and a screen too bright for the camera leave
// thin lines that the middle of the extremes does not cut.

const (
	smallSide    = 256 // pictures up to this on both sides
	smallBy      = 3
	smallFrame   = 12  // white pixels around an enlarged small picture
	regionReach  = 100 // modules around a lone finder
	regionLimit  = 210 // pixels around the middle of the region
	regionAround = 1.2 // of the distance between finders
	movingAround = 1.4 // of the area that moves
)

// readSmall reads a small picture enlarged, with a white margin.
func (r *Reader) readSmall(img Luma) {
	var large Luma
	large, r.large = enlarge(img, r.large)
	r.read(large)
	r.mapBack(func(p Point) Point {
		return Point{(p.X - smallFrame) / smallBy, (p.Y - smallFrame) / smallBy}
	})
}

// readRegion reads the surroundings of the finders that look good enlarged.
func (r *Reader) readRegion(img Luma) {
	x0, y0, x1, y1, ok := r.region(img)
	if !ok {
		return
	}
	part := Luma{Pix: img.Pix[y0*img.Stride+x0:], Width: x1 - x0, Height: y1 - y0, Stride: img.Stride}
	if part.Width < minSide || part.Height < minSide {
		return
	}
	var large Luma
	large, r.large = double(part, r.large)
	hint := r.hint // the region's edge is not the picture's
	r.read(large)
	r.hint = hint
	r.mapBack(func(p Point) Point { return Point{p.X/2 + float64(x0), p.Y/2 + float64(y0)} })
}

// readMoving reads an area and its surroundings sharpened and enlarged.
func (r *Reader) readMoving(img Luma, a area) {
	reach := min(a.side/2*movingAround, regionLimit)
	cx, cy := a.x+a.side/2, a.y+a.side/2
	x0, y0 := max(0, int(cx-reach)), max(0, int(cy-reach))
	x1, y1 := min(img.Width, int(cx+reach)), min(img.Height, int(cy+reach))
	part := Luma{Pix: img.Pix[y0*img.Stride+x0:], Width: x1 - x0, Height: y1 - y0, Stride: img.Stride}
	r.plain, r.twice = double(part, r.twice)
	part, r.crisp = sharpen(part, r.crisp)
	part, r.large = double(part, r.large)
	hint := r.hint
	r.means = true
	r.read(part)
	r.means, r.plain = false, Luma{}
	r.hint = hint
	r.mapBack(func(p Point) Point { return Point{p.X/2 + float64(x0), p.Y/2 + float64(y0)} })
}

// region is the rectangle around the good finders.
func (r *Reader) region(img Luma) (x0, y0, x1, y1 int, ok bool) {
	var sum point
	n, module := 0, 0.0
	for i := range r.finders {
		if f := &r.finders[i]; f.score >= goodScore && n < 3 {
			sum = sum.add(f.centre)
			module = max(module, f.module)
			n++
		}
	}
	if n == 0 {
		return 0, 0, 0, 0, false
	}
	c := sum.times(1 / float64(n))
	reach := 0.0
	for i := range n {
		reach = max(reach, r.finders[i].centre.sub(c).length())
	}
	if n == 1 {
		reach = regionReach * module
	} else {
		reach = 2*reach*regionAround + 8*module
	}
	h := min(reach, regionLimit)
	x0, y0 = max(0, int(c.x-h)), max(0, int(c.y-h))
	x1, y1 = min(img.Width, int(c.x+h)), min(img.Height, int(c.y+h))
	return x0, y0, x1, y1, x1 > x0 && y1 > y0
}

// mapBack moves the corners of the texts.
func (r *Reader) mapBack(to func(Point) Point) {
	for i := range r.texts {
		for j, p := range r.texts[i].Corners {
			r.texts[i].Corners[j] = to(p)
		}
	}
}

// enlarge writes img three times as large, bilinear, into buf.
func enlarge(img Luma, buf []byte) (Luma, []byte) {
	w, h := img.Width*smallBy+2*smallFrame, img.Height*smallBy+2*smallFrame
	buf = grow(buf, w*h)
	for i := range buf {
		buf[i] = 255
	}
	for y := range img.Height * smallBy {
		row := buf[(y+smallFrame)*w+smallFrame:]
		for x := range img.Width * smallBy {
			row[x] = byte(img.grey((float64(x)+0.5)/smallBy, (float64(y)+0.5)/smallBy) + 0.5)
		}
	}
	return Luma{Pix: buf, Width: w, Height: h, Stride: w}, buf
}

// double writes img twice as large, bilinear, into buf: each new pixel is nine
// sixteenths of the one it lies in and the rest of the three it lies next to.
func double(img Luma, buf []byte) (Luma, []byte) {
	w, h := 2*img.Width, 2*img.Height
	buf = grow(buf, w*h)
	for y := range h {
		near := y / 2
		far := max(near-1, 0)
		if y&1 != 0 {
			far = min(near+1, img.Height-1)
		}
		a := img.Pix[near*img.Stride : near*img.Stride+img.Width]
		b := img.Pix[far*img.Stride : far*img.Stride+img.Width]
		out := buf[y*w : y*w+w]
		last := 3*int(a[0]) + int(b[0])
		for x := range a {
			v := 3*int(a[x]) + int(b[x])
			next := v
			if x+1 < len(a) {
				next = 3*int(a[x+1]) + int(b[x+1])
			}
			out[2*x] = byte((3*v + last + 8) >> 4)
			out[2*x+1] = byte((3*v + next + 8) >> 4)
			last = v
		}
	}
	return Luma{Pix: buf, Width: w, Height: h, Stride: w}, buf
}

// sharpen writes img plus twice its difference from the binomial mean over 3x3
// pixels into buf.
func sharpen(img Luma, buf []byte) (Luma, []byte) {
	w, h := img.Width, img.Height
	buf = grow(buf, w*h)
	copy(buf, img.Pix[:w])
	copy(buf[(h-1)*w:], img.Pix[(h-1)*img.Stride:][:w])
	for y := 1; y < h-1; y++ {
		up, row, down := img.Pix[(y-1)*img.Stride:][:w], img.Pix[y*img.Stride:][:w], img.Pix[(y+1)*img.Stride:][:w]
		out := buf[y*w:][:w]
		out[0], out[w-1] = row[0], row[w-1]
		a, b := int(up[0])+2*int(row[0])+int(down[0]), int(up[1])+2*int(row[1])+int(down[1])
		for x := 1; x < w-1; x++ {
			c := int(up[x+1]) + 2*int(row[x+1]) + int(down[x+1])
			v := (24*int(row[x]) - (a + 2*b + c)) / 8 // sixteenths of three, less two
			out[x] = byte(min(max(v, 0), 255))
			a, b = b, c
		}
	}
	return Luma{Pix: buf, Width: w, Height: h, Stride: w}, buf
}
