// Inside a mini-program's web-view: WeChat's calls belong to native pages of the shell, which open us again when done.
//
// The shell's pages (not part of this repository) are `login`, `phone`, `consent`, `pay`, `authorise` and `insure`; each takes `next`,
// does its call of wx.login, getPhoneNumber, wx.requestSubscribeMessage, wx.requestPayment, the insurance's own mini-program or
// wx.requestMedicalInsurancePay, and loads the web-view at /wechat/… with the code.

function open(page, query) {
  const program = window.wx?.miniProgram;
  if (!program?.navigateTo) throw new Error("请在微信小程序中打开本页面");
  return new Promise((done, failed) => {
    program.navigateTo({
      url: `/pages/${page}?${new URLSearchParams(query)}`,
      success: done,
      fail: () => failed(new Error("没有打开微信页面，请返回后重试")),
    });
  });
}

export const shell = {
  login: (next) => open("login", { next }),
  phone: (next) => open("phone", { next }),
  askConsent: (templateIds, next) => open("consent", { ids: templateIds.join(","), next }),
  pay: (parameters, next) => open("pay", { ...parameters, next }),
  authorise: ({ page, back }) => open("authorise", { page, next: back }),
  insure: (parameters, next) => open("insure", { ...parameters, next }),
};
