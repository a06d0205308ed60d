//go:build !linux

package main

import "errors"

// Only Linux tells it by files.
func useOf(int) (use, error) { return use{}, errors.ErrUnsupported }

func writtenTo(string) (int64, error) { return 0, errors.ErrUnsupported }
