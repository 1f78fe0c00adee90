package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/sallyport/sallyport/internal/testhook/crashpoint"
)

// journal remembers between runs what the import began and under which id it stands at the target. It is a file of
// lines, of which the last one about a thing counts; it holds ids and no secret. A line about a thing that is to be made
// is written before it is made: so a run that was killed in between finds its own thing again.
type journal struct {
	file   *os.File // nil in a dry run
	known  map[string]entry
	claims map[string]bool // ids of identities at the target
}

// entry is a line of the journal, after the first one.
type entry struct {
	Kind Kind   `json:"kind"`
	From string `json:"from"`           // id at the source
	To   string `json:"to,omitempty"`   // id at the target, once it is known
	Done bool   `json:"done,omitempty"` // all of it has been brought over once
}

// header is the first line: between which organizations the import runs.
type header struct {
	Source string `json:"source"`
	Target string `json:"target"`
}

// openJournal reads the journal of a path and makes it ready for more; a dry run writes none.
func openJournal(path string, h header, dryRun bool) (*journal, error) {
	j := &journal{known: map[string]entry{}, claims: map[string]bool{}}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cannot read the state: %w", err)
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1] // a line that a kill cut off says nothing
	if err := j.read(whole, h, path); err != nil || dryRun {
		return j, err
	}
	if j.file, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
		return nil, fmt.Errorf("cannot write the state: %w", err)
	}
	err = j.file.Truncate(int64(len(whole)))
	if err == nil {
		_, err = j.file.Seek(0, io.SeekEnd)
	}
	if err == nil && len(whole) == 0 {
		err = j.write(h)
	}
	return j, err
}

func (j *journal) read(text []byte, want header, path string) error {
	if len(text) == 0 {
		return nil
	}
	var h header
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	if json.Unmarshal(first, &h) != nil || h != want {
		return fmt.Errorf("%s is not the state of an import between these two organizations; name another file with --state", path)
	}
	for line := range bytes.Lines(rest) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("%s is damaged; move it away, and the import compares everything again: %w", path, err)
		}
		j.set(e)
	}
	return nil
}

// of returns what is known of a thing; nothing is the zero entry.
func (j *journal) of(kind Kind, from string) (e entry, begun bool) {
	e, begun = j.known[string(kind)+from]
	return e, begun
}

// claimed reports whether the import made, or found, the identity with that id at the target.
func (j *journal) claimed(id string) bool { return j.claims[id] }

// note remembers something of a thing, durably.
func (j *journal) note(e entry) error {
	if j.known[string(e.Kind)+e.From] == e {
		return nil
	}
	j.set(e)
	if j.file == nil {
		return nil
	}
	return j.write(e)
}

func (j *journal) set(e entry) {
	j.known[string(e.Kind)+e.From] = e
	if e.Kind == Identities && e.To != "" {
		j.claims[e.To] = true
	}
}

func (j *journal) write(line any) error {
	crashpoint.Reach(crashpoint.ImportNote)
	text, err := json.Marshal(line)
	if err == nil {
		_, err = j.file.Write(append(text, '\n'))
	}
	if err == nil {
		err = j.file.Sync()
	}
	crashpoint.Reach(crashpoint.ImportNoted)
	if err != nil {
		err = fmt.Errorf("cannot write the state: %w", err)
	}
	return err
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
