package cli

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/sallyport-id/sallyport/provider/keys"
)

const makeKey = "make one with “(umask 077; openssl rand -base64 32 > master.key)”, keep a copy apart from the database, and name it in master_key_file"

// masterKeys are the key that seals everything, and those of before.
func (s *settings) masterKeys(d deployment, logger *slog.Logger) (master []byte, previous [][]byte, err error) {
	c := &checker{settings: s}
	if master, err = s.masterKey(d, logger); err != nil {
		return nil, nil, err
	}
	for _, path := range s.PreviousMasterKeyFiles {
		key, err := readKey(path)
		if err != nil {
			c.add("previous_master_key_files", err.Error(), "name the files of the master keys of before, each 32 bytes in base64")
			continue
		}
		previous = append(previous, key)
	}
	if len(c.found) > 0 {
		return nil, nil, c.found
	}
	return master, previous, nil
}

func (s *settings) masterKey(d deployment, logger *slog.Logger) ([]byte, error) {
	c := &checker{settings: s}
	path := s.MasterKeyFile
	if path != "" {
		key, err := readKey(path)
		if err == nil {
			return key, nil
		}
		c.add("master_key_file", err.Error(), makeKey)
		return nil, c.found
	}
	if d.kind.File == nil {
		c.add("master_key_file", "there is no master key", makeKey)
		return nil, c.found
	}
	database := d.kind.File(d.url)
	path = strings.TrimSuffix(database, filepath.Ext(database)) + ".key"
	key, err := readKey(path)
	switch {
	case err == nil:
		return key, nil
	case !errors.Is(err, fs.ErrNotExist):
		c.add("master_key_file", err.Error(), "put the right file back; a new key can't open what is in the database")
		return nil, c.found
	}
	// A new key for an old database would open nothing in it.
	if info, err := os.Stat(database); err == nil && info.Size() > 0 {
		c.add("master_key_file", fmt.Sprintf("%s is missing, and the database %s is not new", path, database),
			"put the master key back where it was, or name it in master_key_file")
		return nil, c.found
	}
	if key, err = newKey(path); err != nil {
		c.add("master_key_file", err.Error(), "let the program write to the folder of the database, or set master_key_file")
		return nil, c.found
	}
	logger.Info("made a master key; keep a copy apart from the database, which is worth nothing without it", "file", path)
	return key, nil
}

func readKey(path string) ([]byte, error) {
	text, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) != keys.MasterSize {
		return nil, fmt.Errorf("%s does not hold %d bytes in base64", path, keys.MasterSize)
	}
	return key, nil
}

// newKey makes a key that only the owner can read. Of several processes at their first start one makes it and all
// read what that one made: the file comes by its name only once it is whole.
func newKey(path string) (_ []byte, err error) {
	key := make([]byte, keys.MasterSize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	// os.CreateTemp makes files that nobody else can read.
	f, err := os.CreateTemp(filepath.Dir(path), ".sallyport-key-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readKey(path)
}
