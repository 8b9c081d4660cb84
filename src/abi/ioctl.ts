// ioctl(2) commands (include/uapi/asm-generic/ioctls.h, include/uapi/linux/fs.h, tty.h).

export const TCGETS = 0x5401;
export const TCSETS = 0x5402;
export const TCSETSW = 0x5403;
export const TCSETSF = 0x5404;
export const TCGETA = 0x5405;
export const TCSETA = 0x5406;
export const TCSETAW = 0x5407;
export const TCSETAF = 0x5408;
export const TCSBRK = 0x5409;
export const TCXONC = 0x540a;
export const TCFLSH = 0x540b;
export const TIOCEXCL = 0x540c;
export const TIOCNXCL = 0x540d;
export const TIOCSCTTY = 0x540e;
export const TIOCGPGRP = 0x540f;
export const TIOCSPGRP = 0x5410;
export const TIOCOUTQ = 0x5411;
export const TIOCSTI = 0x5412;
export const TIOCGWINSZ = 0x5413;
export const TIOCSWINSZ = 0x5414;
export const FIONREAD = 0x541b;
export const TIOCCONS = 0x541d;
export const TIOCPKT = 0x5420;
export const FIONBIO = 0x5421;
export const TIOCNOTTY = 0x5422;
export const TIOCSETD = 0x5423;
export const TIOCGETD = 0x5424;
export const TCSBRKP = 0x5425;
export const TIOCGSID = 0x5429;
export const TIOCGPTN = 0x80045430;
export const TIOCSPTLCK = 0x40045431;
export const TIOCGPKT = 0x80045438;
export const TIOCGPTLCK = 0x80045439;
export const TIOCGPTPEER = 0x5441;
export const FIONCLEX = 0x5450;
export const FIOCLEX = 0x5451;
export const FIOASYNC = 0x5452;
export const TIOCGLCKTRMIOS = 0x5456;
export const TIOCSLCKTRMIOS = 0x5457;
export const FIOQSIZE = 0x5460;
export const NS_GET_USERNS = 0xb701;
export const NS_GET_PARENT = 0xb702;
export const NS_GET_NSTYPE = 0xb703;
export const NS_GET_OWNER_UID = 0xb704;
export const TCGETS2 = 0x802c542a;
export const TCSETS2 = 0x402c542b;
export const TCSETSW2 = 0x402c542c;
export const TCSETSF2 = 0x402c542d;

export const FIBMAP = 1;
export const FIGETBSZ = 2;
export const RNDGETENTCNT = 0x80045200;
export const TFD_IOC_SET_TICKS = 0x40085400;

export const IOCTL_NAMES: Readonly<Record<string, number>> = {
  TCGETS,
  TCSETS,
  TCSETSW,
  TCSETSF,
  TCSBRK,
  TCXONC,
  TCFLSH,
  TIOCEXCL,
  TIOCNXCL,
  TIOCSCTTY,
  TIOCGPGRP,
  TIOCSPGRP,
  TIOCOUTQ,
  TIOCSTI,
  TIOCGWINSZ,
  TIOCSWINSZ,
  FIONREAD,
  TIOCPKT,
  FIONBIO,
  TIOCNOTTY,
  TIOCGSID,
  TIOCGPTN,
  TIOCSPTLCK,
  TIOCGPTPEER,
  FIONCLEX,
  FIOCLEX,
  FIOASYNC,
  FIOQSIZE,
  TCGETS2,
  TCSETS2,
  FIGETBSZ,
};
