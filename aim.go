package gatehouse

// An Aim is what keeps a code in view from being read, as something that its holder can
// mend. The zero value is nothing.
type Aim uint8

// The aims, by what the holder does about them.
const (
	NoAim     Aim = iota
	TooFar        // come closer
	TooDark       // raise the screen's brightness
	Glare         // turn it out of the light
	Blurred       // hold it still
	Tilted        // hold it straight
	CutOff        // show the whole of it
	MoreParts     // it was read, and is one of several that belong together: show the others
)

// String is a word for logs and catalogues: "too-far". No aim is the empty word.
func (a Aim) String() string {
	switch a {
	case TooFar:
		return "too-far"
	case TooDark:
		return "too-dark"
	case Glare:
		return "glare"
	case Blurred:
		return "blurred"
	case Tilted:
		return "tilted"
	case CutOff:
		return "cut-off"
	case MoreParts:
		return "more-parts"
	}
	return ""
}
