package qr

import "math"

// A point is a place in the full frame, x to the right and y down, in pixels;
// the first pixel's centre is at 0.5, 0.5.
type point struct{ x, y float64 }

func (p point) add(q point) point                { return point{p.x + q.x, p.y + q.y} }
func (p point) sub(q point) point                { return point{p.x - q.x, p.y - q.y} }
func (p point) times(f float64) point            { return point{p.x * f, p.y * f} }
func (p point) dot(q point) float64              { return p.x*q.x + p.y*q.y }
func (p point) cross(q point) float64            { return p.x*q.y - p.y*q.x }
func (p point) length() float64                  { return math.Hypot(p.x, p.y) }
func (p point) towards(q point, f float64) point { return point{p.x + (q.x-p.x)*f, p.y + (q.y-p.y)*f} }
