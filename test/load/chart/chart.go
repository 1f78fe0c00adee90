// Package chart owns the pictures of results: what is on their axes and how they look. It measures nothing. The same
// results always give the same bytes.
package chart

import (
	"bytes"
	"cmp"
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/sallyport/sallyport/test/load/result"
)

// Kind is a sort of picture.
type Kind string

// The pictures that there are.
const (
	Latency    Kind = "latency"    // p50 and p99 of each kind of request over the rate of open loops
	Throughput Kind = "throughput" // answers a second of each kind of request over the callers of closed loops
	Memory     Kind = "memory"     // resident memory over the revoked tokens that the server holds
)

// The size of a picture.
const (
	width  = 20 * vg.Centimeter
	height = 11 * vg.Centimeter
)

// Draw returns a picture of results as SVG. Its ground is white and opaque, so that it is readable on a dark page too.
func Draw(kind Kind, title string, results []*result.Result) ([]byte, error) {
	p := plot.New()
	p.Title.Text = title
	style(p)
	lines, err := axes(kind, p, results)
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("there is nothing in the results for a plot of %s", kind)
	}
	legend := p.Legend // drawn beside the lines, where it hides none of them
	for _, l := range lines {
		if err := l.add(p, &legend); err != nil {
			return nil, err
		}
	}
	room(p, kind)
	canvas := vgsvg.New(width, height)
	whole := draw.New(canvas)
	whole.SetColor(color.White)
	whole.Fill(whole.Rectangle.Path())
	names := min(legend.Rectangle(whole).Size().X+2*margin, width/2)
	p.Draw(draw.Crop(whole, margin, -names-margin, margin, -margin))
	legend.Draw(draw.Crop(whole, width-names, -margin, margin, -4*margin))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(out.Bytes(), []byte("font-family:"+family), []byte("font-family:"+families)), nil
}

const margin = 3 * vg.Millimeter

// The font that the library reckons with, and what a reader without it sees.
const (
	family   = "Liberation Sans"
	families = "Liberation Sans,Arial,Helvetica,sans-serif"
)

func style(p *plot.Plot) {
	p.BackgroundColor = color.White
	for _, text := range []*draw.TextStyle{&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label,
		&p.Legend.TextStyle} {
		text.Font.Variant = "Sans"
	}
	p.Title.Padding = 3 * vg.Millimeter
	p.X.Padding, p.Y.Padding = vg.Millimeter, vg.Millimeter
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.Padding = vg.Millimeter / 2
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{Y: 220}, color.Gray{Y: 220}
	p.Add(grid)
}

// series is one line of a picture.
type series struct {
	name   string
	colour int
	dashed bool
	points plotter.XYs
}

// palette has colors that people with any sort of sight tell apart (Okabe and Ito, "Color Universal Design").
var palette = []color.Color{
	color.RGBA{0x00, 0x72, 0xb2, 0xff}, color.RGBA{0xd5, 0x5e, 0x00, 0xff}, color.RGBA{0x00, 0x9e, 0x73, 0xff},
	color.RGBA{0xcc, 0x79, 0xa7, 0xff}, color.RGBA{0x56, 0xb4, 0xe9, 0xff}, color.RGBA{0xe6, 0x9f, 0x00, 0xff}, color.RGBA{0, 0, 0, 0xff},
}

// marks are the shapes of points, so that lines differ by more than their color.
var marks = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}, draw.BoxGlyph{}, draw.CrossGlyph{}}

func (s *series) add(p *plot.Plot, legend *plot.Legend) error {
	slices.SortStableFunc(s.points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
	line, points, err := plotter.NewLinePoints(s.points)
	if err != nil {
		return err
	}
	line.Color, line.Width = palette[s.colour%len(palette)], vg.Points(1.5)
	points.Color, points.Shape, points.Radius = line.Color, marks[s.colour%len(marks)], vg.Points(3)
	if s.dashed {
		line.Dashes = []vg.Length{vg.Points(5), vg.Points(3)}
	}
	p.Add(line, points)
	legend.Add(s.name, line, points)
	return nil
}
