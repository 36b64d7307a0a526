// The one door to WeChat. Pages call these six and nothing else; which driver answers is a setting of the server.
//
//   wx.login(next)                       become known, then go to `next`
//   wx.phone(next)                       hand over the phone number, then go to `next`
//   wx.askConsent(templateIds, next)     ask for notices; only from a tap; at most three ids
//   wx.pay(parameters, next)             `parameters` of POST /payments/…/prepay; then go to `next`
//   wx.authorise({ page, back })         let the patient authorise her insurance on `page`; its answer goes to `back`
//   wx.insure(parameters, next)          `parameters` of POST /payments/…/insurance/confirm; then go to `next`
//
// Every one of them may leave the page. What WeChat says afterwards is a hint; the server asks for itself.

import { mock } from "./wx/mock.js";
import { shell } from "./wx/shell.js";
import { h5 } from "./wx/h5.js";

const driver = { mock, shell, h5 }[document.body.dataset.driver] ?? mock;

export const wx = {
  login: (next = "/") => driver.login(next),
  phone: (next = "/") => driver.phone(next),
  askConsent: (templateIds, next) => driver.askConsent(templateIds.filter(Boolean).slice(0, 3), next),
  pay: (parameters, next) => driver.pay(parameters, next),
  authorise: (place) => driver.authorise(place),
  insure: (parameters, next) => driver.insure(parameters, next),
};
