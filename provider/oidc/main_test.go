package oidc

import (
	"log/slog"
	"os"
	"testing"
)

// engineLog is what the engine says, which knows no logger but the process's.
var engineLog lockedBuffer

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.NewTextHandler(&engineLog, &slog.HandlerOptions{Level: slog.LevelDebug})))
	os.Exit(m.Run())
}
