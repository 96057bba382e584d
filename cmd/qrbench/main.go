// Command qrbench measures the eye beside other readers of QR codes: the same pixels, the
// same run, one thread each.
//
// Stills are photographs and drawn camera frames with known texts. Sequences are what a
// gate's camera sees while somebody holds a phone up: there a reader is measured by how
// many frames it needs until it has the text.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"gatehouse/cmd/daemon"
)

// version is set by the build to the commit.
var version = "unknown"

func main() {
	os.Exit(daemon.Execute(command(), os.Args[1:], os.Stdout, os.Stderr))
}

func command() *cobra.Command {
	var b bench
	c := &cobra.Command{
		Use:   "qrbench",
		Short: "Measure the eye beside other readers of QR codes",
		Long: `qrbench gives frames to readers and says how many they read, how many of their texts were
false, how long a frame took with its pixels in memory, and in sequences how many frames it
took until the text. A time is the best of --rounds passes over a set; machines differ, so
compare readers within one run.

A text is false when the frame shows another or none. Photographs may hold more codes than
the one that is known: there it counts only where the known text was missed.`,
		Example: `  qrbench --limit 20
  qrbench --qrsynth ../shared/qrsynth --seed 7 --peers --markdown table.md
  qrbench --only sequence --sequences 50 --seed 7
  qrbench draw --level hard --seed 7 --out frames`,
		Version: version,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			b.out, b.progress = c.OutOrStdout(), c.ErrOrStderr()
			return b.run(c.Context())
		},
	}
	f := c.Flags()
	f.StringVar(&b.frames, "frames", framesFolder(), "folder of photographs: zxing, zxing-cpp, jsqr, negatives, eu-dcc-qa; empty for none")
	f.StringArrayVar(&b.synth, "synth", nil, "folder of NAME.pgm with NAME.txt, or of such folders; may be repeated")
	f.StringVar(&b.qrsynth, "qrsynth", "", "folder of the generator of camera frames: it is run with --seed")
	f.Uint64Var(&b.seed, "seed", 1, "seed of the generator and of the sequences")
	f.IntVar(&b.sequences, "sequences", 20, "sequences of each level; 0 for none")
	f.StringSliceVar(&b.only, "only", nil, "measure only sets whose name holds one of these, as in easy,none,sequence")
	f.IntVar(&b.limit, "limit", 0, "take only the first frames of each set")
	f.IntVar(&b.rounds, "rounds", 1, "passes over each set of stills")
	f.StringSliceVar(&b.readers, "readers", nil, "measure only readers whose name holds one of these, as in gatehouse,zxing-cpp")
	f.BoolVar(&b.peers, "peers", false, "measure the peers that run as processes of their own")
	f.BoolVar(&b.requirePeers, "require-peers", false, "a peer that cannot be built or started is an error (implies --peers)")
	f.StringVar(&b.build, "build", "bin/peers", "folder where the peers are built")
	f.Var(&b.clock, "clock", "what a time is: wall, or cpu of the thread, for machines that others use too")
	f.StringVar(&b.markdown, "markdown", "", "write the tables to this file too, as Markdown")
	f.StringVar(&b.list, "list", "", "write what became of each frame to this file, tab-separated")
	c.AddCommand(drawCommand())
	return c
}
