package account

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sallyport-id/sallyport/provider/web"
	"github.com/sallyport-id/sallyport/storage"
	"github.com/sallyport-id/sallyport/ui"
)

// remembered are the actor's remembered devices, the one used last first.
func (s *Service) remembered(ctx context.Context, by *web.Actor) ([]storage.Device, error) {
	all, err := every(ctx, s.Devices, by)
	if err != nil {
		return nil, web.Unavailable("devices", err)
	}
	slices.SortFunc(all, func(a, b storage.Device) int { return b.LastUsed.Compare(a.LastUsed) })
	return all, nil
}

// deviceRows are remembered devices as the page shows them.
func (s *Service) deviceRows(by *web.Actor, remembered []storage.Device) []ui.DeviceRow {
	rows := make([]ui.DeviceRow, 0, len(remembered))
	for _, d := range remembered {
		rows = append(rows, ui.DeviceRow{
			ID: d.ID, Origin: s.origin(by, d.Agent, d.Address), Created: ui.Stamp(d.Created), LastUsed: ui.Stamp(d.LastUsed),
			Until: ui.Stamp(d.Expires), This: d.Browser == by.Browser && strings.Contains(by.Devices, "."+d.ID+"."),
			Forget: ui.PathDevices + "/" + d.ID + "/forget",
		})
	}
	return rows
}

type deviceIn struct {
	ID string `path:"id"`
}

// forget forgets one remembered device. It takes nothing but trust away, so it asks for no second step: whoever is
// frightened should be quick.
func (s *Service) forget(ctx context.Context, by *web.Actor, in deviceIn) (web.Result, error) {
	d, err := s.Devices.Get(ctx, by.User.Tenant, in.ID)
	if err == nil && d.User != by.User.ID {
		err = storage.ErrNotFound
	}
	if err != nil {
		return web.Result{}, web.Unavailable("device", err)
	}
	if err := s.forgetOne(ctx, by, d.ID); err != nil {
		return web.Result{}, err
	}
	return s.to(ui.PathDevices, ui.Say(ui.NoticeDeviceForgotten))
}

func (s *Service) forgetOne(ctx context.Context, by *web.Actor, id string) error {
	if err := s.record(ctx, by, "device.forgotten", "ok", "", ""); err != nil {
		return err
	}
	err := s.Devices.Delete(ctx, by.User.Tenant, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return web.Unavailable("device", err)
}

// forgetAll forgets all of them.
func (s *Service) forgetAll(ctx context.Context, by *web.Actor, _ nothing) (web.Result, error) {
	all, err := s.remembered(ctx, by)
	if err != nil {
		return web.Result{}, err
	}
	for _, d := range all {
		if err := s.forgetOne(ctx, by, d.ID); err != nil {
			return web.Result{}, err
		}
	}
	return s.to(ui.PathDevices, ui.Say(ui.NoticeDevicesForgotten))
}
